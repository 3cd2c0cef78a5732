"""The versions of the mathematics that turn a model and its data into weights."""

RECIPE = 2
"""Part of every run's identity: raised by hand where a change of code changes the trained weights.

Any other change of code leaves finished trainings as they are, and is reported. A test
(tests/unit/training/test_recipe.py) compares losses with stored ones and fails where the number
ought to have been raised.
"""

PREFERENCE_RECIPE = 2
"""The same of preference tuning (preference.py)."""

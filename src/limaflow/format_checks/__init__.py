"""Forms that prompts ask for, and rules that check whether responses have them."""

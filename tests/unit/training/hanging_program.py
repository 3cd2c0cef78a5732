"""Two ranks of test_stopping.py, of which one never ends its second step."""

import sys
import time

from limaflow.training.processes import ending_at_once, join, meet, rank
from limaflow.training.stopping import StopRequest

patience = float(sys.argv[1])
with ending_at_once():
    join()
    stop = StopRequest(patience)
    with stop.step():
        meet()
    # In one piece, since both ranks write to one pipe.
    sys.stdout.write("step done\n")
    sys.stdout.flush()
    with stop.step():
        if rank() == 1:
            # As on a node that the network has lost: nothing is closed, nothing answers.
            while True:
                time.sleep(1)
        meet()

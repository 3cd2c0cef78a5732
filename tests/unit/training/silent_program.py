"""Two ranks of test_stopping.py, of which one never comes to a collective of a group of its own."""

import sys
import time
from datetime import timedelta

import torch
import torch.distributed as dist

from limaflow.training.processes import (
    be_patient,
    ending_at_once,
    join,
    lost_processes_named,
    rank,
)

with ending_at_once(), lost_processes_named():
    join()
    group = dist.new_group()
    be_patient(timedelta(seconds=float(sys.argv[1])))
    if rank() == 1:
        time.sleep(60)
    dist.all_reduce(torch.zeros(1), group=group)

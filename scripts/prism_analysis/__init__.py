"""What runs of prism-dist did: run files as data frames, statistics, figures, a report.

load     run files as data frames          needs h5py, numpy, pandas
times    times to a target, censored       needs nothing
compare  two sets of runs, tests           needs numpy
report   the page and the PDF              needs matplotlib
"""

__version__ = "0.1.0"

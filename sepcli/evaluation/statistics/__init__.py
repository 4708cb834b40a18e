"""How sure a figure is: intervals, paired tests, effect sizes, detection.

Rows that belong together, such as the stems of one track, share a group. They are resampled,
flipped and ranked together, since what makes one stem hard often makes the next one hard.
"""

from sepcli.evaluation.statistics.bootstrap import Interval, bootstrap_ci
from sepcli.evaluation.statistics.detection import Roc, auc, auc_ci, roc
from sepcli.evaluation.statistics.paired import (
    cohens_d,
    holm,
    rank_biserial,
    sign_flip_test,
    wilcoxon_test,
    win_rate,
)

__all__ = [
    "Interval",
    "Roc",
    "auc",
    "auc_ci",
    "bootstrap_ci",
    "cohens_d",
    "holm",
    "rank_biserial",
    "roc",
    "sign_flip_test",
    "wilcoxon_test",
    "win_rate",
]

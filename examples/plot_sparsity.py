"""
Sparsity: how many weights can be pruned?
=========================================

Masks found before training (SNIP), by training twice (lottery ticket), or after it (by
magnitude), on scikit-learn's digits. What is lost when most weights are gone?
"""

# %%
# ``sparsity`` and ``pruning`` are hyperparameters of every network.

import matplotlib.pyplot as plt
import pandas as pd
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from skbci.display import SparsityDisplay
from skbci.estimators import MLPClassifier

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.5, random_state=0)
settings = {"hidden_layer_sizes": (60, 30), "optimizer": "adam", "lr": 0.003, "max_epochs": 15,
            "random_state": 0}


def accuracy(**sparse):
    """Train a network and test it."""
    return MLPClassifier(**settings, **sparse).fit(X_train, y_train).score(X_test, y_test)


results = [{"method": "dense", "sparsity": 0.0, "accuracy": accuracy()}]
for method, name in (("SNIP", "snip"), ("lottery ticket", "lottery"), ("magnitude", "magnitude")):
    for sparsity in (0.3, 0.5, 0.7, 0.8, 0.9):
        score = accuracy(sparsity=sparsity, pruning=name)
        results.append({"method": method, "sparsity": sparsity, "accuracy": score})
SparsityDisplay.from_results(pd.DataFrame(results).assign(task="digits"), metrics=["accuracy"])
plt.show()

# %%
# Magnitude pruning and the lottery ticket train twice or more, SNIP and the dense network once.
#
# Where are the weights that are left? The network's three dense layers are its modules 1, 3 and 5;
# those with few weights keep a larger share of them.

clf = MLPClassifier(**settings, sparsity=0.9, pruning="snip").fit(X_train, y_train)
SparsityDisplay.from_estimator(clf)
print(clf.density_)
plt.show()

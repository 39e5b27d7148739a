"""Which regime a month belongs to: attention over signals, and how well that does in years that it has not seen."""

import numpy
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score, log_loss

# Chosen by cross-validation over blocks of the months before 1985; what is judged are later ones.
WIDTH = 8
HEADS = 2
DROPOUT = 0.3
WEIGHT_DECAY = 0.3
STEPS = 100
MEMBERS = 5


class RegimeAttention(torch.nn.Module):
    """state [rows, signals] → log-odds [rows, regimes].

    A signal is a token: a direction of its own, which it takes as far as it is from its mean, from a place of its own.
    A learned question for each head attends to the tokens; what they find decides.
    """

    def __init__(self, signals, regimes):
        super().__init__()
        self.direction = torch.nn.Parameter(torch.randn(signals, WIDTH) / WIDTH ** 0.5)
        self.place = torch.nn.Parameter(torch.randn(signals, WIDTH) / WIDTH ** 0.5)
        self.question = torch.nn.Parameter(torch.randn(HEADS, WIDTH // HEADS) / WIDTH ** 0.5)
        self.key = torch.nn.Linear(WIDTH, WIDTH)
        self.value = torch.nn.Linear(WIDTH, WIDTH)
        self.answer = torch.nn.Linear(WIDTH, regimes)
        self.dropout = torch.nn.Dropout(DROPOUT)
        self.shape = (-1, signals, HEADS, WIDTH // HEADS)

    def forward(self, state):
        tokens = self.dropout(torch.tanh(state.unsqueeze(2) * self.direction + self.place))
        keys, values = self.key(tokens).reshape(self.shape), self.value(tokens).reshape(self.shape)
        attention = torch.softmax((keys * self.question).sum(dim=3, keepdim=True), dim=1)
        return self.answer((attention * values).sum(dim=1).reshape(-1, WIDTH))


class RegimeProbabilities(torch.nn.Module):
    """state [rows, signals] → probabilities [rows, regimes], of the members' mean log-odds."""

    def __init__(self, members):
        super().__init__()
        self.members = torch.nn.ModuleList(members)

    def forward(self, state):
        return torch.softmax(sum(member(state) for member in self.members) / len(self.members), dim=1)


def fit_regimes(state, regimes, count):
    """state [rows, signals], float32; regimes [rows], from 0 to count - 1."""
    rows, labels = torch.from_numpy(state), torch.from_numpy(regimes)
    members = []
    for seed in range(MEMBERS):
        torch.manual_seed(seed)
        member = RegimeAttention(state.shape[1], count).train()
        optimiser = torch.optim.AdamW(member.parameters(), lr=0.01, weight_decay=WEIGHT_DECAY)
        for _ in range(STEPS):
            optimiser.zero_grad()
            torch.nn.functional.cross_entropy(member(rows), labels).backward()
            optimiser.step()
        members.append(member)
    return RegimeProbabilities(members).eval()


def probabilities_of(model, state):
    with torch.no_grad():
        return model(torch.from_numpy(state)).double().numpy()


def judge(name, probabilities, regimes, count):
    """Figures of stated probabilities, by name."""
    return {f"{name}_log_loss": log_loss(regimes, probabilities, labels=range(count)),
            f"{name}_brier": numpy.mean(numpy.sum((probabilities - numpy.eye(count)[regimes]) ** 2, axis=1)),
            f"{name}_balanced_accuracy": balanced_accuracy_score(regimes, probabilities.argmax(axis=1))}


def controls(state, regimes, later, count):
    """What a logistic regression, and the base rates alone, say of later months: [rows, regimes] each."""
    logistic = LogisticRegression(C=0.1, max_iter=2000).fit(state, regimes).predict_proba(later)
    base_rates = numpy.tile(numpy.bincount(regimes, minlength=count) / len(regimes), (len(later), 1))
    return {"logistic": logistic, "base_rates": base_rates}

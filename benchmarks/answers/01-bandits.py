"""Answers of chapter 01: right ones, classic mistakes, mutants that are right too."""

from __future__ import annotations

#: Right answers by exercise: name -> code.
VARIANTS: dict[str, dict[str, str]] = {
    "softmax": {
        "one action at a time": """
            def softmax(theta):
                largest = max(theta)
                weights = [np.exp(float(x) - float(largest)) for x in theta]
                return np.array([w / sum(weights) for w in weights])
        """,
        "log-sum-exp": """
            def softmax(theta):
                theta = np.asarray(theta, dtype=np.float64)
                top = theta.max()
                return np.exp(theta - top - np.log(np.exp(theta - top).sum()))
        """,
        "logaddexp": """
            def softmax(theta):
                return np.exp(theta - np.logaddexp.reduce(theta))
        """,
        "in torch": """
            import torch
            def softmax(theta):
                return torch.softmax(torch.as_tensor(theta, dtype=torch.float64), dim=0).numpy()
        """,
        "all differences": """
            def softmax(theta):
                with np.errstate(over="ignore"):
                    return 1.0 / np.exp(theta[None, :] - theta[:, None]).sum(axis=1)
        """,
        "from SciPy's pattern": """
            def softmax(theta):
                shifted = np.asarray(theta) - np.amax(theta, axis=-1, keepdims=True)
                exponentials = np.exp(shifted)
                return exponentials / np.sum(exponentials, axis=-1, keepdims=True)
        """,
    },
    "score": {
        "one-hot by hand": """
            def score(theta, action):
                onehot = np.zeros(len(theta))
                onehot[action] = 1
                return onehot - policy_of(theta)
        """,
        "identity matrix": """
            def score(theta, action):
                return np.eye(len(theta))[action] - policy_of(theta)
        """,
        "a loop": """
            def score(theta, action):
                pi = policy_of(theta)
                return np.array([(1 - p) if a == action else -p for a, p in enumerate(pi)])
        """,
        "row of the Jacobian": """
            def score(theta, action):
                pi = policy_of(theta)
                jacobian = np.diag(pi) - np.outer(pi, pi)
                tiny = np.finfo(float).tiny
                return jacobian[action] / pi[action] if pi[action] > tiny else (
                    (np.arange(len(pi)) == action) - pi
                )
        """,
        "own softmax": """
            def score(theta, action):
                weights = np.exp(theta - theta.max())
                return (np.arange(theta.size) == action) - weights / weights.sum()
        """,
        "autograd": """
            import torch
            def score(theta, action):
                t = torch.tensor(theta, dtype=torch.float64, requires_grad=True)
                return torch.autograd.grad(torch.log_softmax(t, 0)[action], t)[0].numpy()
        """,
    },
    "entropy": {
        "a loop": """
            import math
            def entropy(p):
                total = 0.0
                for x in p:
                    if x > 0:
                        total -= float(x) * math.log(x)
                return total
        """,
        "where": """
            def entropy(p):
                return float(-np.sum(p * np.log(np.where(p == 0, 1, p))))
        """,
        "as expected surprise": """
            def entropy(p):
                happens = np.asarray(p, dtype=np.float64)
                happens = happens[happens != 0]
                return float(happens @ np.log(1 / happens))
        """,
        "nan to num": """
            def entropy(p):
                with np.errstate(all="ignore"):
                    return float(-np.nansum(p * np.log(p)))
        """,
        "in torch": """
            import torch
            def entropy(p):
                return torch.special.entr(torch.as_tensor(p)).sum().item()
        """,
        "log only where positive": """
            def entropy(p):
                logs = np.log(p, out=np.zeros_like(p), where=p > 0)
                return -float(np.dot(p, logs))
        """,
    },
    "reinforce_bandit_grad": {
        "one play at a time": """
            def reinforce_bandit_grad(theta, actions, rewards, baseline):
                pi = policy_of(theta)
                gradient = np.zeros(len(theta))
                for action, reward in zip(actions, rewards):
                    step = -pi.copy()
                    step[action] += 1
                    gradient += (float(reward) - baseline) * step
                return gradient / len(actions)
        """,
        "matrix product": """
            def reinforce_bandit_grad(theta, actions, rewards, baseline):
                onehot = np.arange(len(theta))[None, :] == np.asarray(actions)[:, None]
                weights = np.asarray(rewards, dtype=float) - baseline
                return weights @ (onehot - policy_of(theta)) / len(weights)
        """,
        "counted by action": """
            def reinforce_bandit_grad(theta, actions, rewards, baseline):
                weights = np.asarray(rewards, dtype=np.float64) - baseline
                taken = np.bincount(actions, weights=weights, minlength=len(theta))
                return (taken - policy_of(theta) * weights.sum()) / len(weights)
        """,
        "einsum": """
            def reinforce_bandit_grad(theta, actions, rewards, baseline):
                scores = np.eye(theta.size)[actions] - policy_of(theta)[None]
                return np.einsum("n,na->a", rewards - baseline, scores) / len(rewards)
        """,
        "autograd": """
            import torch
            def reinforce_bandit_grad(theta, actions, rewards, baseline):
                t = torch.tensor(theta, dtype=torch.float64, requires_grad=True)
                weights = torch.tensor(rewards, dtype=torch.float64) - baseline
                value = (weights * torch.log_softmax(t, 0)[torch.tensor(actions)]).mean()
                return torch.autograd.grad(value, t)[0].numpy()
        """,
        "columns": """
            def reinforce_bandit_grad(theta, actions, rewards, baseline):
                advantages = (rewards - baseline).reshape(-1, 1)
                scores = -np.tile(policy_of(theta), (len(actions), 1))
                scores[np.arange(len(actions)), actions] += 1.0
                return (advantages * scores).mean(0)
        """,
    },
    "run_bandit": {
        "lists": """
            def run_bandit(means, lr, steps, rng):
                arms = len(means)
                theta, rewards, rows = np.zeros(arms), [], []
                for _ in range(steps):
                    pi = policy_of(theta)
                    rows.append(pi)
                    action = rng.choice(arms, p=pi)
                    reward = rng.normal(means[action], 1.0)
                    usual = np.mean(rewards) if rewards else 0.0
                    theta = theta + lr * (reward - usual) * (np.eye(arms)[action] - pi)
                    rewards.append(reward)
                return np.array(rows)
        """,
        "running mean": """
            def run_bandit(means, lr, steps, rng):
                arms, baseline = len(means), 0.0
                theta = np.zeros(arms)
                history = np.empty((steps, arms))
                for t in range(steps):
                    history[t] = policy_of(theta)
                    action = rng.choice(arms, p=history[t])
                    reward = rng.normal(means[action], 1.0)
                    onehot = np.zeros(arms)
                    onehot[action] = 1
                    theta += lr * (reward - baseline) * (onehot - history[t])
                    baseline += (reward - baseline) / (t + 1)
                return history
        """,
        "one arm at a time": """
            def run_bandit(means, lr, steps, rng):
                theta, total, count, rows = [0.0] * len(means), 0.0, 0, []
                while count < steps:
                    pi = policy_of(np.array(theta))
                    rows.append(pi)
                    chosen = rng.choice(len(means), p=pi)
                    reward = rng.normal(means[chosen], 1.0)
                    advantage = reward - (total / count if count else 0.0)
                    for arm in range(len(means)):
                        theta[arm] += lr * advantage * ((1.0 if arm == chosen else 0.0) - pi[arm])
                    total, count = total + reward, count + 1
                return np.vstack(rows)
        """,
        "own softmax": """
            def run_bandit(means, lr, steps, rng):
                theta, rewards = np.zeros(len(means)), np.zeros(steps)
                history = np.zeros((steps, len(means)))
                for t in range(steps):
                    pi = np.exp(theta - theta.max())
                    pi /= pi.sum()
                    history[t] = pi
                    a = rng.choice(len(means), p=pi)
                    rewards[t] = rng.normal(means[a], 1.0)
                    b = rewards[:t].mean() if t > 0 else 0.0
                    theta += lr * (rewards[t] - b) * ((np.arange(len(means)) == a) - pi)
                return history
        """,
        "a generator": """
            def run_bandit(means, lr, steps, rng):
                def plays():
                    theta, seen = np.zeros(len(means)), []
                    for _ in range(steps):
                        pi = policy_of(theta)
                        yield pi
                        arm = rng.choice(len(means), p=pi)
                        pay = rng.normal(means[arm], 1.0)
                        better = pay - sum(seen) / max(len(seen), 1)
                        theta = theta - lr * better * pi
                        theta[arm] += lr * better
                        seen.append(pay)
                return np.stack(list(plays()))
        """,
    },
    "masked_softmax": {
        "only the allowed ones": """
            def masked_softmax(logits, mask):
                result = np.zeros(len(logits))
                chosen = logits[mask]
                weights = np.exp(chosen - chosen.max())
                result[mask] = weights / weights.sum()
                return result
        """,
        "a large negative number, as CleanRL has it": """
            def masked_softmax(logits, mask):
                logits = np.where(mask, logits, -1e8)
                weights = np.exp(logits - logits.max())
                return weights / weights.sum()
        """,
        "a loop": """
            import math
            def masked_softmax(logits, mask):
                top = max(float(x) for x, ok in zip(logits, mask) if ok)
                weights = [math.exp(x - top) if ok else 0.0 for x, ok in zip(logits, mask)]
                return np.array(weights) / sum(weights)
        """,
        "masked in place of a copy": """
            def masked_softmax(logits, mask):
                scores = np.array(logits, dtype=np.float64)
                scores[~mask] = -np.inf
                return np.exp(scores - np.logaddexp.reduce(scores))
        """,
        "in torch": """
            import torch
            def masked_softmax(logits, mask):
                scores = torch.as_tensor(logits, dtype=torch.float64)
                scores = scores.masked_fill(~torch.as_tensor(mask), float("-inf"))
                return torch.softmax(scores, 0).numpy()
        """,
        "the library's softmax": """
            def masked_softmax(logits, mask):
                return policy_of(np.where(mask, logits, -np.inf))
        """,
    },
}

#: Mistakes that learners make: name -> (text of the solution, what they write instead).
MISTAKES: dict[str, dict[str, tuple[str, str]]] = {
    "softmax": {
        "overflows": ("theta - np.max(theta)", "theta"),
        "clipped instead of shifted": ("theta - np.max(theta)", "np.clip(theta, -700, 700)"),
        "shifted by the mean": ("np.max(theta)", "np.mean(theta)"),
        "not divided": ("weights / np.sum(weights)", "weights"),
        "divided by the largest": ("np.sum(weights)", "np.max(weights)"),
        "shares of the preferences": (
            "np.exp(theta - np.max(theta))",
            "theta - np.min(theta) + 1e-8",
        ),
        "powers of two": ("np.exp(theta - np.max(theta))", "2.0 ** (theta - np.max(theta))"),
        "a little added": ("np.sum(weights)", "(np.sum(weights) + 1e-3)"),
        "theta changed": (
            "weights = np.exp(theta",
            "theta -= np.max(theta); weights = np.exp(theta",
        ),
    },
    "score": {
        "wrong sign": ("return gradient", "return -gradient"),
        "preferences instead of probabilities": ("policy_of(theta)", "theta"),
        "gradient of the probability": (
            "return gradient",
            "return gradient * policy_of(theta)[action]",
        ),
        "one-hot only": ("-policy_of(theta)", "np.zeros(len(theta))"),
        "only the taken action": (
            "return gradient",
            "return gradient * (np.arange(len(theta)) == action)",
        ),
        "log-probabilities": ("-policy_of(theta)", "-np.log(policy_of(theta))"),
        "last action": ("gradient[action]", "gradient[-1]"),
        "set instead of added": ("+= 1.0", "= 1.0"),
    },
    "entropy": {
        "sign forgotten": ("-np.sum", "np.sum"),
        "zero times log zero": ("p[p > 0.0]", "p"),
        "in bits": ("np.log(", "np.log2("),
        "not weighed": ("likely * np.log(likely)", "np.log(likely)"),
        "mean over the actions": ("np.sum", "np.mean"),
        "a constant against zeros": ("p[p > 0.0]", "(p + 1e-3)"),
        "relative entropy": ("return float(", "return float(1 / np.log(max(len(p), 2)) * "),
        "small ones left out": ("p > 0.0", "p > 0.05"),
        "no plain number": (
            "float(-np.sum(likely * np.log(likely)))",
            "-(likely * np.log(likely))",
        ),
    },
    "reinforce_bandit_grad": {
        "downhill": ("return np.mean", "return -np.mean"),
        "baseline forgotten": ("(rewards - baseline)", "rewards"),
        "baseline added": ("rewards - baseline", "rewards + baseline"),
        "sum over the plays": ("np.mean(", "np.sum("),
        "rewards along the wrong axis": ("(rewards - baseline)[:, None]", "(rewards - baseline)"),
        "mean over the actions": ("axis=0", "axis=1"),
        "baseline after the product": (
            "(rewards - baseline)[:, None] * scores",
            "rewards[:, None] * scores - baseline",
        ),
        "one-hot only": (" - policy_of(theta)", ""),
        "rewards normalised": (
            "(rewards - baseline)",
            "((rewards - baseline) / (np.std(rewards) + 1e-8))",
        ),
        "mean reward as baseline": ("rewards - baseline", "rewards - np.mean(rewards)"),
    },
    "run_bandit": {
        "noted after the update": (
            "return history",
            "return np.vstack([history[1:], policy_of(theta)])",
        ),
        "no baseline": ("baseline = total / max(t, 1)", "baseline = 0.0"),
        "baseline with this reward": ("total / max(t, 1)", "(total + reward) / (t + 1)"),
        "baseline one short": ("total / max(t, 1)", "total / (t + 1)"),
        "downhill": ("theta -= lr", "theta += lr"),
        "greedy": ("rng.choice(len(means), p=history[t])", "int(np.argmax(history[t]))"),
        "uniform actions": ("rng.choice(len(means), p=history[t])", "rng.choice(len(means))"),
        "the mean as reward": ("rng.normal(means[action], 1.0)", "means[action]"),
        "a generator of its own": (
            "theta = np.zeros",
            "rng = np.random.default_rng(); theta = np.zeros",
        ),
        "only the taken action moves": ("theta -= lr * (reward - baseline) * history[t]", "pass"),
        "actions from the arms' means": ("p=history[t]", "p=policy_of(means)"),
    },
    "masked_softmax": {
        "masked after the softmax": (
            "allowed = np.where(mask, logits, -np.inf)",
            "allowed = logits",
        ),
        "logit zero": ("-np.inf", "0.0"),
        "mask upside down": ("np.where(mask, logits, -np.inf)", "np.where(mask, -np.inf, logits)"),
        "a penalty too small": ("-np.inf", "logits - 10.0"),
        "product with the mask": ("np.where(mask, logits, -np.inf)", "logits * mask"),
        "set to zero, not shared again": (
            "return weights / np.sum(weights)",
            "return np.where(mask, policy_of(logits), 0.0)",
        ),
        "shifted by the largest of all": ("np.max(allowed)", "np.max(logits)"),
        "forbidden ones dropped": (
            "return weights / np.sum(weights)",
            "return (weights / np.sum(weights))[mask]",
        ),
        "overflows": ("allowed - np.max(allowed)", "allowed"),
        "minus a thousand": ("-np.inf", "-1000.0"),
    },
}

_ZERO = "minus zero is zero"
_SHIFT = "a common shift of the preferences changes nothing"
_LENGTH = "it is only asked for its length, which is the same"
_FIRST = "the sum is 0 before the first play, whatever it is divided by"

#: Automatic mutants that are right answers too: change -> reason.
EQUIVALENT: dict[str, dict[str, str]] = {
    "entropy": {"4: 0.0 -> -0.0": _ZERO},
    "reinforce_bandit_grad": {"4: theta -> -theta": _LENGTH},
    "run_bandit": {
        "6: 0.0 -> -0.0": _ZERO,
        "4: np.zeros -> np.ones": _SHIFT,
        "5: np.zeros -> np.ones": "every row is written afterwards",
        "4: means -> -means": _LENGTH,
        "5: means -> -means": _LENGTH,
        "5: means -> theta": _LENGTH,
        "9: means -> -means": _LENGTH,
        "9: means -> theta": _LENGTH,
        "11: max(t, 1) -> max(1, t)": "the larger, either way",
        "11: 1 -> 0.5": _FIRST,
    },
}

"""Answers of chapter 02: right ones, classic mistakes, mutants that are right too."""

from __future__ import annotations

#: Right answers by exercise: name -> code.
VARIANTS: dict[str, dict[str, str]] = {
    "policy_evaluation": {
        "sweeps, by the shrinking error": """
            def policy_evaluation(P, R, pi, gamma, tol):
                values = np.zeros(len(R))
                error = np.max(np.abs(R)) / (1 - gamma)
                while error > tol:
                    values = np.sum(pi * (R + gamma * P @ values), axis=1)
                    error *= gamma
                return values
        """,
        "sweeps, by the change": """
            def policy_evaluation(P, R, pi, gamma, tol):
                values = np.zeros(R.shape[0])
                while True:
                    new = np.einsum("sa,sa->s", pi, R + gamma * np.einsum("sat,t->sa", P, values))
                    change = np.abs(new - values).max()
                    values = new
                    if change * gamma <= tol * (1 - gamma):
                        return values
        """,
        "in place, state by state": """
            def policy_evaluation(P, R, pi, gamma, tol):
                states, actions = R.shape
                values = np.zeros(states)
                change = np.inf
                while change > tol * (1 - gamma):
                    change = 0.0
                    for s in range(states):
                        old = values[s]
                        values[s] = sum(
                            pi[s, a] * (R[s, a] + gamma * P[s, a] @ values) for a in range(actions)
                        )
                        change = max(change, abs(values[s] - old))
                return values
        """,
        "the inverse": """
            def policy_evaluation(P, R, pi, gamma, tol):
                flow = np.einsum("sa,sat->st", pi, P)
                return np.linalg.inv(np.eye(len(R)) - gamma * flow) @ (pi * R).sum(1)
        """,
        "in torch": """
            import torch
            def policy_evaluation(P, R, pi, gamma, tol):
                P, R, pi = (torch.tensor(x, dtype=torch.float64) for x in (P, R, pi))
                flow = (pi.unsqueeze(-1) * P).sum(1)
                left = torch.eye(len(R), dtype=torch.float64) - gamma * flow
                return torch.linalg.solve(left, (pi * R).sum(1)).numpy()
        """,
        "sum of powers": """
            def policy_evaluation(P, R, pi, gamma, tol):
                flow, pay = (pi[:, None] @ P)[:, 0], (pi * R).sum(axis=1)
                values, weight = pay.copy(), 1.0
                for _ in range(2000):
                    pay, weight = gamma * flow @ pay, weight * gamma
                    values = values + pay
                    if weight * np.abs(R).max() < tol * (1 - gamma):
                        break
                return values
        """,
    },
    "mc_returns": {
        "weights in a matrix": """
            def mc_returns(rewards, gamma):
                steps = np.arange(len(rewards))
                ahead = steps[None] - steps[:, None]
                return np.where(ahead >= 0, gamma ** np.clip(ahead, 0, None), 0.0) @ rewards
        """,
        "a list, turned round": """
            def mc_returns(rewards, gamma):
                found, g = [], 0.0
                for reward in rewards[::-1]:
                    g = float(reward) + gamma * g
                    found.append(g)
                return np.array(found[::-1], dtype=float)
        """,
        "in place on a copy": """
            def mc_returns(rewards, gamma):
                returns = np.array(rewards, dtype=np.float64)
                for t in range(len(returns) - 2, -1, -1):
                    returns[t] += gamma * returns[t + 1]
                return returns
        """,
        "each step for itself": """
            def mc_returns(rewards, gamma):
                n = len(rewards)
                return np.array(
                    [sum(gamma ** (k - t) * rewards[k] for k in range(t, n)) for t in range(n)],
                    dtype=float,
                )
        """,
        "linear equations": """
            def mc_returns(rewards, gamma):
                n = len(rewards)
                return np.linalg.solve(np.eye(n) - gamma * np.eye(n, k=1), rewards.astype(float))
        """,
        "accumulate": """
            from itertools import accumulate
            def mc_returns(rewards, gamma):
                back = accumulate(rewards[::-1].tolist(), lambda g, r: r + gamma * g)
                return np.array(list(back), dtype=np.float64)[::-1]
        """,
    },
    "td_errors": {
        "where": """
            def td_errors(r, v, v_next, done, gamma):
                return np.where(done, r, r + gamma * v_next) - v
        """,
        "a loop over all places": """
            def td_errors(r, v, v_next, done, gamma):
                out = np.zeros_like(r)
                for i in np.ndindex(*r.shape):
                    out[i] = r[i] - v[i]
                    if not done[i]:
                        out[i] += gamma * v_next[i]
                return out
        """,
        "masked by index": """
            def td_errors(r, v, v_next, done, gamma):
                target = np.array(r, dtype=np.float64)
                going = np.asarray(done) == 0
                target[going] += gamma * v_next[going]
                return target - v
        """,
        "logical not": """
            def td_errors(r, v, v_next, done, gamma):
                return r - v + gamma * v_next * np.logical_not(done)
        """,
        "in torch": """
            import torch
            def td_errors(r, v, v_next, done, gamma):
                r, v, v_next = (torch.as_tensor(x) for x in (r, v, v_next))
                going = 1 - torch.as_tensor(done).to(r.dtype)
                return (r + gamma * going * v_next - v).numpy()
        """,
        "a discount for each step": """
            def td_errors(r, v, v_next, done, gamma):
                discount = gamma * (1 - np.asarray(done, dtype=float))
                return np.add(r, np.multiply(discount, v_next)) - v
        """,
    },
    "nstep_return": {
        "recursive": """
            def nstep_return(r, v, t, n, gamma, done):
                if n == 0 or t == len(r):
                    return float(v[t])
                if done[t]:
                    return float(r[t])
                return float(r[t] + gamma * nstep_return(r, v, t + 1, n - 1, gamma, done))
        """,
        "backwards": """
            def nstep_return(r, v, t, n, gamma, done):
                end = min(t + n, len(r))
                total = float(v[end])
                for k in reversed(range(t, end)):
                    total = float(r[k]) + gamma * total * (1.0 - float(done[k]))
                return total
        """,
        "whole arrays": """
            def nstep_return(r, v, t, n, gamma, done):
                end = min(t + n, len(r))
                going = 1.0 - np.asarray(done[t:end], dtype=float)
                weights = np.concatenate([[1.0], np.cumprod(gamma * going)])
                return float(weights[:-1] @ r[t:end] + weights[-1] * v[end])
        """,
        "look for the end first": """
            def nstep_return(r, v, t, n, gamma, done):
                end = min(t + n, len(r))
                ends = np.flatnonzero(done[t:end])
                if len(ends):
                    end = t + int(ends[0]) + 1
                total = sum(gamma ** (k - t) * float(r[k]) for k in range(t, end))
                return total if len(ends) else total + gamma ** (end - t) * float(v[end])
        """,
        "while": """
            def nstep_return(r, v, t, n, gamma, done):
                total, k = 0.0, 0
                while k < n and t + k < len(r):
                    total += gamma**k * float(r[t + k])
                    k += 1
                    if done[t + k - 1]:
                        break
                else:
                    total += gamma**k * float(v[t + k])
                return total
        """,
        "from TD errors": """
            def nstep_return(r, v, t, n, gamma, done):
                going = 1.0 - np.asarray(done, dtype=float)
                delta = r + gamma * going * v[1:] - v[:-1]
                total, weight = float(v[t]), 1.0
                for k in range(t, min(t + n, len(r))):
                    total += weight * float(delta[k])
                    weight *= gamma * going[k]
                return float(total)
        """,
    },
    "explained_variance": {
        "by hand": """
            def explained_variance(y, v):
                def spread(x):
                    mean = sum(x) / len(x)
                    return sum((float(e) - float(mean)) ** 2 for e in x) / len(x)
                whole = spread(y)
                return float("nan") if whole == 0 else 1 - spread(y - v) / whole
        """,
        "as Stable-Baselines3 writes it": """
            def explained_variance(y, v):
                var_y = np.var(y)
                return np.nan if var_y == 0 else float(1 - np.var(y - v) / var_y)
        """,
        "the other degrees of freedom": """
            def explained_variance(y, v):
                if np.ptp(y) == 0:
                    return float("nan")
                return float(1 - np.var(y - v, ddof=1) / np.var(y, ddof=1))
        """,
        "division by zero is nan": """
            def explained_variance(y, v):
                if (y == y[0]).all():
                    return np.nan
                errors = (v - y) - (v - y).mean()
                centred = y - y.mean()
                return float(1.0 - (errors @ errors) / (centred @ centred))
        """,
        "standard deviations": """
            def explained_variance(y, v):
                y, v = np.asarray(y, dtype=np.float64), np.asarray(v, dtype=np.float64)
                if y.std() == 0:
                    return float("nan")
                return float(1 - (y - v).std() ** 2 / y.std() ** 2)
        """,
        "in torch": """
            import torch
            def explained_variance(y, v):
                y, v = torch.as_tensor(y), torch.as_tensor(v)
                whole = y.var(unbiased=False)
                if whole == 0:
                    return float("nan")
                return (1 - (y - v).var(unbiased=False) / whole).item()
        """,
    },
}

_SOLVE = "return np.linalg.solve(np.eye(len(R)) - gamma * flow, pay)"
_SWEEPS = """values = np.zeros(len(R))
    for _ in range(100000):
        new = pay + gamma * flow @ values
        if np.max(np.abs(new - values)) < {least}:
            break
        values = new
    return values"""

#: Mistakes that learners make: name -> (text of the solution, what they write instead).
MISTAKES: dict[str, dict[str, tuple[str, str]]] = {
    "policy_evaluation": {
        "stops at a small change": (_SOLVE, _SWEEPS.format(least="tol")),
        "a fixed number of sweeps": (
            _SOLVE,
            "values = pay\n    for _ in range(20):\n        values = pay + gamma * flow @ values"
            "\n    return values",
        ),
        "one sweep only": (_SOLVE, "return pay"),
        "transposed": ("gamma * flow", "gamma * flow.T"),
        "the best action instead of the policy's": ("np.sum(pi * R, axis=1)", "np.max(R, axis=1)"),
        "rewards not weighed": ("np.sum(pi * R, axis=1)", "np.sum(R, axis=1)"),
        "moves not weighed": ("pi[:, :, None] * P", "P"),
        "all actions equally": ("pi[:, :, None] * P", "P / P.shape[1]"),
        "gamma forgotten": ("gamma * flow", "0.999999 * flow"),
        "rewards discounted": ("flow, pay)", "flow, gamma * pay)"),
        "actions and next states mixed up": (
            "pi[:, :, None] * P, axis=1",
            "pi[:, :, None] * P, axis=2",
        ),
    },
    "mc_returns": {
        "forwards": ("reversed(range(len(rewards)))", "range(len(rewards))"),
        "no discount": ("gamma * following", "following"),
        "the reward discounted too": (
            "rewards[t] + gamma * following",
            "gamma * (rewards[t] + following)",
        ),
        "integers": ("np.zeros(len(rewards))", "np.zeros_like(rewards)"),
        "own reward left out": (
            "following = rewards[t] + gamma * following\n        returns[t] = following",
            "returns[t] = gamma * following\n        following = rewards[t] + gamma * following",
        ),
        "one number for all": ("return returns", "return np.full(len(rewards), following)"),
        "discounted from the first step": (
            "return returns",
            "return returns * gamma ** np.arange(len(rewards))",
        ),
        "turned round": ("return returns", "return returns[::-1]"),
        "normalised": (
            "return returns",
            "return returns - (returns.mean() if len(returns) else 0)",
        ),
    },
    "td_errors": {
        "mask forgotten": (" * (1.0 - done)", ""),
        "mask upside down": ("(1.0 - done)", "done"),
        "reward masked too": (
            "r + gamma * (1.0 - done) * v_next",
            "(r + gamma * v_next) * (1.0 - done)",
        ),
        "all of it masked": (
            "r + gamma * (1.0 - done) * v_next - v",
            "(r + gamma * v_next - v) * (1.0 - done)",
        ),
        "sign": (
            "return r + gamma * (1.0 - done) * v_next - v",
            "return v - r - gamma * (1.0 - done) * v_next",
        ),
        "gamma forgotten": ("gamma * ", ""),
        "gamma on the value": ("- v", "- gamma * v"),
        "done one step late": ("(1.0 - done)", "(1.0 - np.roll(done, 1))"),
        "the target only": (" - v", ""),
        "values mixed up": ("v_next - v", "v - v_next"),
        "not for bools": ("1.0 - done", "-done + 1.0"),
    },
    "nstep_return": {
        "guess after an end": ("        if done[k]:\n            return float(total)\n", ""),
        "stops before the last reward": (
            "        total += weight * r[k]\n        weight *= gamma\n        if done[k]:\n"
            "            return float(total)\n",
            "        if done[k]:\n            return float(total)\n        total += weight * r[k]\n"
            "        weight *= gamma\n",
        ),
        "guess at the end of the rewards only": (
            "        if done[k]:\n            return float(total)",
            "        if done[k]:\n            return float(total + weight * v[k + 1])",
        ),
        "guess of the state before": ("weight * v[last]", "weight * v[last - 1]"),
        "guess not discounted": ("weight * v[last]", "v[last]"),
        "guess discounted once": ("weight * v[last]", "gamma * v[last]"),
        "discounted from the start of the record": (
            "total, weight = 0.0, 1.0",
            "total, weight = 0.0, gamma**t",
        ),
        "v counted from t": ("v[last]", "v[last - t]"),
        "one step too many": ("min(t + n, len(r))", "min(t + n + 1, len(r))"),
        "no guess where the record ends": (
            "return float(total + weight * v[last])",
            "return float(total + (weight * v[last] if t + n <= len(r) else 0.0))",
        ),
        "rewards not discounted": ("weight * r[k]", "r[k]"),
    },
    "explained_variance": {
        "mean square instead of variance": ("np.var(y - v)", "np.mean((y - v) ** 2)"),
        "residual variance": ("1.0 - np.var(y - v) / spread", "np.var(y - v) / spread"),
        "by the critic's variance": ("spread = np.var(y)", "spread = np.var(v)"),
        "standard deviations": ("np.var(y - v) / spread", "np.std(y - v) / np.std(y)"),
        "zero for nothing to explain": ('float("nan")', "0.0"),
        "one for nothing to explain": ('float("nan")', "1.0"),
        "a little added below": ("np.var(y - v) / spread", "np.var(y - v) / (spread + 1e-3)"),
        "clipped at zero": (
            "float(1.0 - np.var(y - v) / spread)",
            "float(max(0.0, 1.0 - np.var(y - v) / spread))",
        ),
        "squared correlation": (
            "1.0 - np.var(y - v) / spread",
            "np.corrcoef(y, v + 1e-12 * np.arange(len(v)))[0, 1] ** 2",
        ),
        "variance of the critic explained": ("1.0 - np.var(y - v) / spread", "np.var(v) / spread"),
    },
}

_ZERO = "minus zero is zero"
_LENGTH = "it is only asked for its length, which is the same"
_SPREAD = "a change of sign of all numbers changes no variance"

#: Automatic mutants that are right answers too: change -> reason.
EQUIVALENT: dict[str, dict[str, str]] = {
    "policy_evaluation": {
        "5: 1 -> -1": "the second of two axes is also the last",
        "6: R -> -R": _LENGTH,
        "6: R -> P": _LENGTH,
        "6: R -> flow": _LENGTH,
        "6: R -> pay": _LENGTH,
        "6: R -> pi": _LENGTH,
    },
    "mc_returns": {
        "5: 0.0 -> -0.0": _ZERO,
        "4: np.zeros -> np.ones": "every entry is written afterwards",
        "4: rewards -> -rewards": _LENGTH,
        "6: rewards -> -rewards": _LENGTH,
        "6: rewards -> returns": _LENGTH,
    },
    "nstep_return": {
        "4: 0.0 -> -0.0": _ZERO,
        "5: min(t + n, len(r)) -> min(len(r), t + n)": "the smaller, either way",
        "5: r -> -r": _LENGTH,
        "5: r -> done": _LENGTH,
    },
    "explained_variance": {
        "4: y -> -y": _SPREAD,
        "5: 0.0 -> -0.0": _ZERO,
        "5: spread -> -spread": "it is only compared with zero",
        "6: return float('nan') -> return -float('nan')": "what is no number has no sign either",
        "7: y - v -> v - y": _SPREAD,
    },
}

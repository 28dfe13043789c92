"""Answers to the exercises of 10-clinic: right ones, mistakes of learners, harmless mutants."""

from __future__ import annotations

from textwrap import dedent

_FIRST = {
    "loops": """
        def fixed_1(rewards, values, dones, last_value, last_done, gamma, gae_lambda):
            out = np.zeros_like(rewards)
            for n in range(rewards.shape[1]):
                carry = 0.0
                for t in range(len(rewards) - 1, -1, -1):
                    is_last = t == len(rewards) - 1
                    over = last_done[n] if is_last else dones[t + 1, n]
                    after = last_value[n] if is_last else values[t + 1, n]
                    carry = rewards[t, n] - values[t, n] + (1 - over) * gamma * (
                        after + gae_lambda * carry)
                    out[t, n] = carry
            return out
    """,
    "stacked": """
        def fixed_1(rewards, values, dones, last_value, last_done, gamma, gae_lambda):
            on = 1 - np.vstack([dones, last_done])[1:]
            delta = rewards + gamma * on * np.vstack([values, last_value])[1:] - values
            for t in range(len(delta) - 2, -1, -1):
                delta[t] = delta[t] + gamma * gae_lambda * on[t] * delta[t + 1]
            return delta
    """,
}
_SECOND = {
    "one by one": """
        def fixed_2(rewards, values, next_values, terminated, truncated, gamma, gae_lambda):
            out, carry = [], 0.0
            for r, v, n, end, cut in zip(*(x[::-1] for x in
                    (rewards, values, next_values, terminated, truncated))):
                if end or cut:
                    carry = 0.0
                carry = r - v + (0.0 if end else gamma * n) + gamma * gae_lambda * carry
                out.append(carry)
            return np.array(out[::-1])
    """,
    "forward sums": """
        def fixed_2(rewards, values, next_values, terminated, truncated, gamma, gae_lambda):
            delta = rewards + np.where(terminated, 0, gamma * next_values) - values
            on = ~np.logical_or(terminated, truncated)
            out = np.zeros(len(delta))
            for t in range(len(delta)):
                weight = 1.0
                for k in range(t, len(delta)):
                    out[t] += weight * delta[k]
                    weight *= gamma * gae_lambda * on[k]
            return out
    """,
}
_THIRD = {
    "in torch": """
        def fixed_3(weights, observations, actions, advantages, clip_range, learning_rate,
                    n_epochs):
            w = torch.tensor(weights)
            x, a, gain = torch.tensor(observations), torch.tensor(actions), torch.tensor(advantages)
            def log_prob(w):
                return torch.log_softmax(x @ w, 1).gather(1, a[:, None])[:, 0]
            then = log_prob(w)
            for _ in range(n_epochs):
                w = w.detach().requires_grad_()
                r = (log_prob(w) - then).exp()
                loss = -torch.min(r * gain, r.clamp(1 - clip_range, 1 + clip_range) * gain).mean()
                loss.backward()
                w = w - learning_rate * w.grad
            return w.detach().numpy()
    """,
    "chosen only": """
        def fixed_3(weights, observations, actions, advantages, clip_range, learning_rate,
                    n_epochs):
            now, count = np.array(weights, dtype=float), len(actions)
            then = log_policy(now, observations)[range(count), actions]
            for _ in range(n_epochs):
                log_pi = log_policy(now, observations)
                r = np.exp(log_pi[range(count), actions] - then)
                step = np.zeros_like(now)
                for i in range(count):
                    a = advantages[i]
                    if (a > 0 and r[i] <= 1 + clip_range) or (a < 0 and r[i] >= 1 - clip_range):
                        pull = -np.exp(log_pi[i])
                        pull[actions[i]] += 1
                        step += r[i] * a * np.outer(observations[i], pull) / count
                now = now + learning_rate * step
            return now
    """,
}
_FOURTH = {
    "flattened": """
        def fixed_4(weights, bias, observations, returns):
            return np.mean(np.square((observations @ weights + bias).ravel() - returns)) / 2
    """,
    "returns as a column": """
        def fixed_4(weights, bias, observations, returns):
            return 0.5 * ((observations @ weights + bias - returns[:, None]) ** 2).mean()
    """,
}
_FIFTH = {
    "two losses": """
        def fixed_5(policy_weights, value_weights, observations, actions, returns, vf_coef):
            p, v = policy_weights.clone().requires_grad_(), value_weights.clone().requires_grad_()
            with torch.no_grad():
                gain = returns - observations @ v
            pi = torch.distributions.Categorical(logits=observations @ p)
            (-(pi.log_prob(actions) * gain).mean()).backward()
            (vf_coef * 0.5 * (observations @ v - returns).pow(2).mean()).backward()
            return p.grad, v.grad
    """,
    "by hand": """
        def fixed_5(policy_weights, value_weights, observations, actions, returns, vf_coef):
            miss = returns - observations @ value_weights
            pi = torch.softmax(observations @ policy_weights, dim=1)
            pull = functional.one_hot(actions, pi.shape[1]) - pi
            count = len(actions)
            return (-observations.T @ (miss[:, None] * pull) / count,
                    -vf_coef * observations.T @ miss / count)
    """,
}
_SIXTH = {
    "in torch": """
        def fixed_6(logits, actions, old_log_probs, advantages, values, returns, clip_range,
                    vf_coef, ent_coef):
            pi = torch.distributions.Categorical(logits=torch.tensor(logits, dtype=torch.float64))
            r = (pi.log_prob(torch.tensor(actions)) - torch.tensor(old_log_probs)).exp()
            a = torch.tensor(advantages)
            gain = torch.min(r * a, r.clamp(1 - clip_range, 1 + clip_range) * a).mean()
            miss = ((torch.tensor(values) - torch.tensor(returns)) ** 2).mean() / 2
            return float(-gain + vf_coef * miss - ent_coef * pi.entropy().mean())
    """,
    "plus at the end": """
        def fixed_6(logits, actions, old_log_probs, advantages, values, returns, clip_range,
                    vf_coef, ent_coef):
            top = logits - logits.max(axis=1, keepdims=True)
            log_pi = top - np.log(np.exp(top).sum(axis=1, keepdims=True))
            r = np.exp(log_pi[range(len(actions)), actions] - old_log_probs)
            bound = np.where(advantages > 0, np.minimum(r, 1 + clip_range),
                             np.maximum(r, 1 - clip_range))
            certainty = (np.exp(log_pi) * log_pi).sum() / len(actions)
            miss = 0.5 * np.square(values - returns).mean()
            return -(bound * advantages).mean() + vf_coef * miss + ent_coef * certainty
    """,
}
_SEVENTH = {
    "flat first": """
        def fixed_7(advantages):
            flat = advantages.ravel()
            return (flat - np.mean(flat)) / (np.std(flat, ddof=1) + 1e-8)
    """,
    "both axes": """
        def fixed_7(advantages):
            centred = advantages - advantages.mean(axis=(0, 1), keepdims=True)
            spread = np.sqrt((centred ** 2).sum() / (centred.size - 1))
            return centred.flatten() / (spread + 1e-8)
    """,
}
_EIGHTH = {
    "minimum": """
        def fixed_8(logratio, advantages, clip_range):
            r = np.exp(logratio)
            return -np.minimum(r * advantages,
                               np.clip(r, 1 - clip_range, 1 + clip_range) * advantages).mean()
    """,
    "sample by sample": """
        def fixed_8(logratio, advantages, clip_range):
            total = 0.0
            for m, a in zip(logratio, advantages):
                r = math.exp(m)
                total -= (min(r, 1 + clip_range) if a > 0 else max(r, 1 - clip_range)) * a
            return total / len(advantages)
    """,
}


def _joined(*parts: str) -> str:
    return "\n".join(dedent(part).strip("\n") + "\n" for part in parts)


def _together(*groups: dict[str, str]) -> dict[str, str]:
    """Return five answers that hold one function of each group, every function at least once."""
    picked = [[*group.values()] for group in groups]
    patterns = ((0, 0, 0, 0), (1, 1, 1, 1), (0, 1, 0, 1), (1, 0, 1, 0), (0, 1, 1, 0))
    return {
        f"mixture {number}": _joined(
            *(group[choice] for group, choice in zip(picked, pattern, strict=True))
        )
        for number, pattern in enumerate(patterns, 1)
    }


#: Correct solutions, each written in another way.
VARIANTS: dict[str, dict[str, str]] = {
    "diagnosis": {
        "lists": """
            def diagnosis():
                return {1: ["F", LABELS[13]], 2: ["E", LABELS[6]], 3: ["D", LABELS[7]],
                        4: ["B", LABELS[2]], 5: ["D", LABELS[0]], 6: ["F", LABELS[5]],
                        7: ["A", LABELS[9]], 8: ["E", LABELS[3]]}
        """,
        "zipped": """
            def diagnosis():
                picked = [13, 6, 7, 2, 0, 5, 9, 3]
                return {i + 1: (line, LABELS[k])
                        for i, (line, k) in enumerate(zip("FEDBDFAE", picked))}
        """,
        "the line where it is used": """
            def diagnosis():
                lines = dict(zip(range(1, 9), "FFDAGFAE"))
                words = ("wrong done", "leaks", "of then", "broadcast", "detached", "entropy",
                         "too few", "wrong side")
                return {k: (lines[k], next(label for label in LABELS if word in label))
                        for k, word in zip(lines, words)}
        """,
        "in another order": """
            def diagnosis():
                found = {}
                found[8] = "E", "clip on the wrong side"
                found[7] = "A", "normalised over too few numbers"
                found[6] = "F", "entropy with the wrong sign"
                found[5] = "D", "advantages not detached"
                found[4] = "A", "broadcast to (B, B)"
                found[3] = "D", "log probability of now taken for that of then"
                found[2] = "F", "episode leaks over a time limit"
                found[1] = "F", "wrong done index"
                return found
        """,
        "from a text": """
            def diagnosis():
                text = "F wrong done index;E episode leaks over a time limit;"
                text += "D log probability of now taken for that of then;B broadcast to (B, B);"
                text += "G advantages not detached;F entropy with the wrong sign;"
                text += "A normalised over too few numbers;E clip on the wrong side"
                return {i: tuple(part.split(" ", 1)) for i, part in enumerate(text.split(";"), 1)}
        """,
    },
    "repairs_1_to_4": _together(_FIRST, _SECOND, _THIRD, _FOURTH),
    "repairs_5_to_8": _together(_FIFTH, _SIXTH, _SEVENTH, _EIGHTH),
    "own_checks": {
        "a GAE of its own": """
            def own_checks(implementation):
                r, v, d, last, over, gamma, lam = example_rollout()
                carry, want = np.zeros(2), np.zeros((5, 2))
                ends, after = np.vstack([d, over]), np.vstack([v, last])
                for t in (4, 3, 2, 1, 0):
                    on = 1 - ends[t + 1]
                    carry = r[t] + gamma * on * after[t + 1] - v[t] + gamma * lam * on * carry
                    want[t] = carry
                try:
                    a, b = implementation(r, v, d, last, over, gamma, lam)
                    assert np.shape(a) == np.shape(b) == (5, 2)
                    np.testing.assert_allclose(a, want, atol=1e-4)
                    np.testing.assert_allclose(b, want + v, atol=1e-4)
                except Exception:
                    return False
                return True
        """,
        "the library's": """
            from jupyter_ppo.training.objective import compute_gae
            def own_checks(implementation):
                given = example_rollout()
                try:
                    got = implementation(*given)
                    return all(np.shape(a) == np.shape(b) and np.allclose(a, b, atol=1e-4)
                               for a, b in zip(got, compute_gae(*given)))
                except Exception:
                    return False
        """,
        "many random rollouts": """
            def own_checks(implementation):
                generator = np.random.default_rng(3)
                try:
                    for _ in range(5):
                        r, v = generator.normal(size=(2, 6, 3))
                        d = (generator.random((7, 3)) < 0.4) * 1.0
                        last = generator.normal(size=3)
                        a, b = implementation(r, v, d[:6], last, d[6], 0.8, 0.6)
                        if not np.shape(a) == np.shape(b) == (6, 3):
                            return False
                        after, later = np.vstack([v, last]), np.vstack([a, np.zeros(3)])
                        rule = r + 0.8 * (1 - d[1:]) * (after[1:] + 0.6 * later[1:]) - v
                        error = np.abs(a - rule).max() + np.abs(b - rule - v).max()
                        if not error < 1e-3:
                            return False
                except Exception:
                    return False
                return True
        """,
        "column by column": """
            def own_checks(implementation):
                given = example_rollout()
                r, v, d, last, over, gamma, lam = given
                out = []
                for n in range(2):
                    carry, column = 0.0, []
                    for t in range(4, -1, -1):
                        stop = over[n] if t == 4 else d[t + 1, n]
                        after = last[n] if t == 4 else v[t + 1, n]
                        carry = r[t, n] - v[t, n] + (1 - stop) * gamma * (after + lam * carry)
                        column.insert(0, carry)
                    out.append(column)
                want = np.array(out).T
                try:
                    a, b = (np.asarray(x, dtype=float) for x in implementation(*given))
                except Exception:
                    return False
                is_right = a.shape == b.shape == (5, 2)
                return is_right and bool((np.abs(a - want) < 1e-4).all()
                                         and (np.abs(b - a - v) < 1e-4).all())
        """,
        "segments": """
            def own_checks(implementation):
                given = example_rollout()
                r, v, d, last, over, gamma, lam = given
                try:
                    a, b = implementation(*given)
                    a, b = np.array(a, dtype=float), np.array(b, dtype=float)
                except Exception:
                    return False
                if a.shape != (5, 2) or b.shape != (5, 2):
                    return False
                for n in range(2):
                    for t in range(5):
                        weight, total = 1.0, 0.0
                        for k in range(t, 5):
                            stop = over[n] if k == 4 else d[k + 1, n]
                            after = last[n] if k == 4 else v[k + 1, n]
                            total += weight * (r[k, n] + gamma * (1 - stop) * after - v[k, n])
                            weight *= gamma * lam * (1 - stop)
                        if not abs(a[t, n] - total) < 1e-4:
                            return False
                        if not abs(b[t, n] - total - v[t, n]) < 1e-4:
                            return False
                return True
        """,
    },
    "relative_entropy": {
        "numpy": """
            def relative_entropy(entropy, n_actions):
                if n_actions <= 1:
                    raise ValueError("two actions at least")
                return np.asarray(entropy) / np.log(n_actions)
        """,
        "a factor": """
            def relative_entropy(entropy, n_actions):
                if not n_actions >= 2:
                    raise ValueError(n_actions)
                scale = 1 / math.log(n_actions)
                return scale * entropy
        """,
        "bits": """
            def relative_entropy(entropy, n_actions):
                if n_actions in (0, 1):
                    raise ValueError("nothing to choose")
                return (entropy / math.log(2)) / math.log2(n_actions)
        """,
        "entropy of an even policy": """
            def relative_entropy(entropy, n_actions):
                if n_actions < 2:
                    raise ValueError("nothing to choose")
                even = np.full(n_actions, 1 / n_actions)
                return entropy / -(even * np.log(even)).sum()
        """,
        "an error of its own": """
            def relative_entropy(entropy, n_actions):
                class TooFew(ValueError):
                    pass
                if n_actions < 2:
                    raise TooFew("no choice")
                return np.divide(entropy, np.log(float(n_actions)))
        """,
    },
    "residual_variance": {
        "one minus": """
            def residual_variance(returns, values):
                if np.shape(returns) != np.shape(values):
                    raise ValueError("shapes differ")
                r, v = np.array(returns, float), np.array(values, float)
                if (r == r[0]).all():
                    return float("nan")
                explained = 1 - np.var(r - v) / np.var(r)
                return 1 - explained
        """,
        "by sums": """
            def residual_variance(returns, values):
                if np.shape(returns) != np.shape(values):
                    raise ValueError("shapes differ")
                pairs = [(float(r), float(v)) for r, v in zip(returns, values)]
                def spread(xs):
                    middle = sum(xs) / len(xs)
                    return sum((x - middle) ** 2 for x in xs)
                if len({r for r, _ in pairs}) == 1:
                    return math.nan
                return spread([r - v for r, v in pairs]) / spread([r for r, _ in pairs])
        """,
        "other denominator": """
            def residual_variance(returns, values):
                if returns.shape != values.shape:
                    raise ValueError("shapes differ")
                if returns.max() == returns.min():
                    return np.nan
                return np.var(returns - 1.0 * values, ddof=1) / np.var(returns, ddof=1)
        """,
        "statistics": """
            import statistics
            def residual_variance(returns, values):
                if np.shape(returns) != np.shape(values):
                    raise ValueError("shapes differ")
                r, v = np.asarray(returns, float).tolist(), np.asarray(values, float).tolist()
                if max(r) == min(r):
                    return np.float64("nan")
                return statistics.pvariance([a - b for a, b in zip(r, v)]) / statistics.pvariance(r)
        """,
        "torch": """
            def residual_variance(returns, values):
                r, v = torch.tensor(returns).double(), torch.tensor(values).double()
                if r.shape != v.shape:
                    raise ValueError("shapes differ")
                if bool((r == r[0]).all()):
                    return math.nan
                return ((r - v).var() / r.var()).item()
        """,
    },
}

#: What learners get wrong: text of the solution, and what they write instead.
MISTAKES: dict[str, dict[str, tuple[str, str]]] = {
    "diagnosis": {
        "the line before": ('1: ("F"', '1: ("E"'),
        "where the wrong thing is used": ('3: ("D"', '3: ("E"'),
        "the last line": ('6: ("F"', '6: ("G"'),
        "deviation instead of mean": ('7: ("A"', '7: ("C"'),
        "the bootstrap": ("episode leaks over a time limit", "bootstrap missing at a time limit"),
        "a label that fits none": ("clip on the wrong side", "mask of forbidden actions left out"),
        "a label that is not there": ("entropy with the wrong sign", "entropy sign"),
    },
    "repairs_1_to_4": {
        "1: still the patient": (
            "next_value, next_done = values[t], dones[t]",
            "next_value, next_done = values[t], dones[t - 1]",
        ),
        "1: last_done ignored": (
            "next_value, next_done = last_value, last_done",
            "next_value, next_done = last_value, 0.0",
        ),
        "2: still the patient": ("(terminated[t] | truncated[t])", "terminated[t]"),
        "2: no bootstrap at the limit": (
            "(1.0 - terminated) - values",
            "(1.0 - (terminated | truncated)) - values",
        ),
        "3: still the patient": (
            "    for _ in range(n_epochs):\n",
            "    for _ in range(n_epochs):\n"
            "        log_before = log_policy(weights, observations)\n",
        ),
        "3: no copy": ("weights.copy()", "weights"),
        "4: still the patient": ("(observations @ weights)[:, 0]", "(observations @ weights)"),
        "4: no half": ("return 0.5 * ((values", "return ((values"),
    },
    "repairs_5_to_8": {
        "5: still the patient": ("(returns - values).detach()", "returns - values"),
        "5: values detached": (
            "observations @ value_weights\n",
            "(observations @ value_weights).detach()\n",
        ),
        "6: still the patient": ("-(np.exp(log_pi)", "(np.exp(log_pi)"),
        "6: sign turned twice": ("- ent_coef * entropy", "+ ent_coef * entropy"),
        "7: the other axis": ("advantages.mean()", "advantages.mean(axis=0)"),
        "7: ddof 0": ("advantages.std(ddof=1)", "advantages.std()"),
        "8: still the patient": ("np.where(advantages > 0", "np.where(advantages < 0"),
        "8: both sides": (
            "at_least_low = np.maximum(ratio, 1.0 - clip_range)",
            "at_least_low = np.clip(ratio, 1.0 - clip_range, 1.0 + clip_range)",
        ),
    },
    "own_checks": {
        "shape only": (
            "return bool(np.allclose(advantages, rule, atol=1e-4) and "
            "np.allclose(returns, rule + values, atol=1e-4))",
            "return True",
        ),
        "returns not looked at": (" and np.allclose(returns, rule + values, atol=1e-4))", ")"),
        "advantages not looked at": (
            "np.allclose(advantages, rule, atol=1e-4) and "
            "np.allclose(returns, rule + values, atol=1e-4)",
            "np.allclose(returns, advantages + values, atol=1e-4)",
        ),
        "too exact": ("atol=1e-4", "rtol=0, atol=0"),
        "too generous": ("atol=1e-4", "atol=10"),
        "it raises": ("        return False\n    if np.shape", "        raise\n    if np.shape"),
        "no shapes": (
            "if np.shape(advantages) != np.shape(rewards) or "
            "np.shape(returns) != np.shape(rewards):",
            "if False:",
        ),
        "the wrong done": ("np.vstack([dones, last_done])[1:]", "dones"),
    },
    "relative_entropy": {
        "bits": ("math.log(n_actions)", "math.log2(n_actions)"),
        "difference": ("entropy / math", "entropy - math"),
        "number of actions": ("math.log(n_actions)", "n_actions"),
        "upside down": ("entropy / math.log(n_actions)", "math.log(n_actions) / entropy"),
        "one action allowed": ("n_actions < 2", "n_actions < 1"),
        "two refused": ("n_actions < 2", "n_actions <= 2"),
        "None instead": (
            'raise ValueError("with fewer than two actions there is nothing to choose")',
            "return None",
        ),
    },
    "residual_variance": {
        "explained": (
            "float((returns - values).var() / returns.var())",
            "1 - float((returns - values).var() / returns.var())",
        ),
        "mean square": ("(returns - values).var()", "((returns - values) ** 2).mean()"),
        "of the values": ("/ returns.var()", "/ values.var()"),
        "standard deviations": (
            "(returns - values).var() / returns.var()",
            "(returns - values).std() / returns.std()",
        ),
        "mixed denominators": ("/ returns.var()", "/ returns.var(ddof=1)"),
        "zero at equal returns": ("return math.nan", "return 0.0"),
        "any shape": ("if returns.shape != values.shape:", "if False:"),
        "number of samples only": ("returns.shape != values.shape", "len(returns) != len(values)"),
        "var of equal returns": ("np.ptp(returns) == 0", "returns.var() == 0"),
    },
}

#: Automatic mutants that are right answers too, and why.
EQUIVALENT: dict[str, dict[str, str]] = {
    "repairs_1_to_4": {
        "4: rewards -> -rewards": "only the shape and type are taken from it",
        "5: last_value -> -last_value": "only the shape and type are taken from it",
        "20: np.zeros_like -> lambda a: np.zeros(a.shape)": (
            "float64 is a right type for the result as well"
        ),
        "23: rewards -> -rewards": "only the length is taken from it",
    },
    "own_checks": {
        "18: bool(np.allclose(advantages, rule, atol=0.0001) and np.allclose(returns, rule + "
        "values, atol=0.0001)) -> np.allclose(advantages, rule, atol=0.0001) and "
        "np.allclose(returns, rule + values, atol=0.0001)": (
            "np.allclose returns a bool of Python already"
        ),
        "18: np.allclose(advantages, rule, atol=0.0001) -> np.allclose(advantages, rule)": (
            "the relative tolerance is enough for float32 at these sizes"
        ),
        "18: np.allclose(advantages, rule, atol=0.0001) -> np.allclose(rule, advantages, "
        "atol=0.0001)": "the two differ in which one the relative tolerance is of",
        "18: np.allclose(returns, rule + values, atol=0.0001) -> np.allclose(returns, rule + "
        "values)": "the relative tolerance is enough for float32 at these sizes",
        "18: np.allclose(returns, rule + values, atol=0.0001) -> np.allclose(rule + values, "
        "returns, atol=0.0001)": "the two differ in which one the relative tolerance is of",
        "13: advantages -> -advantages": "only its shape is looked at",
        "13: rewards -> -rewards": "only its shape is looked at",
        "13: rewards -> dones": "of the same shape",
        "13: rewards -> values": "of the same shape",
        "13: rewards -> returns": (
            "the two results must have one shape, and the returns the right one"
        ),
        "13: rewards -> advantages": (
            "the two results must have one shape, and the advantages the right one"
        ),
        "13: returns -> -returns": "only its shape is looked at",
        "18: rule -> advantages": "the advantages were compared with the rule before",
        "16: np.zeros_like -> lambda a: np.zeros(a.shape)": "last_value is float64 already",
        "16: last_value -> -last_value": "only its shape is taken",
        "16: last_value -> last_done": "of the same shape",
        "18: 0.0001 -> 5e-05": "half of the tolerance is enough for float32",
    },
    "residual_variance": {
        "10: return math.nan -> return -math.nan": "NaN has no sign that counts",
        "11: float((returns - values).var() / returns.var()) -> (returns - values).var() / "
        "returns.var()": "a number of NumPy is a number too",
        "9: 0 -> 0.0": "the same number",
        "7: returns -> -returns": "only its shape is looked at",
        "7: values -> -values": "only its shape is looked at",
        "9: returns -> -returns": "its range is the same",
        "11: returns - values -> values - returns": "the variance does not change with the sign",
        "11: returns -> -returns": "one of two places: the variance does not change with the sign",
    },
}

"""Answers to the exercises of 05-gae: right ones, mistakes of learners, harmless mutants."""

from __future__ import annotations

#: Correct solutions, each written in another way.
VARIANTS: dict[str, dict[str, str]] = {
    "gae_single": {
        "by matrix": """
            def gae_single(rewards, values, last_value, gamma, gae_lambda):
                r, v = np.asarray(rewards, dtype=float), np.asarray(values, dtype=float)
                delta = r + gamma * np.append(v[1:], last_value)[: len(r)] - v
                weights = np.array([[(gamma * gae_lambda) ** (k - t) if k >= t else 0.0
                    for k in range(len(r))] for t in range(len(r))]).reshape(len(r), len(r))
                return weights @ delta
        """,
        "a list from the back": """
            def gae_single(rewards, values, last_value, gamma, gae_lambda):
                found, carry, after = [], 0.0, last_value
                for reward, value in zip(rewards[::-1], values[::-1]):
                    carry = reward + gamma * after - value + gamma * gae_lambda * carry
                    found.append(carry)
                    after = value
                return np.array(found[::-1], dtype=np.float64)
        """,
        "a sum for each step": """
            def gae_single(rewards, values, last_value, gamma, gae_lambda):
                after = [*values[1:], last_value]
                delta = [r + gamma * a - v for r, a, v in zip(rewards, after, values)]
                steps = len(delta)
                return np.array([sum((gamma * gae_lambda) ** (k - t) * delta[k]
                    for k in range(t, steps)) for t in range(steps)], dtype=float)
        """,
        "by lambda returns": """
            def gae_single(rewards, values, last_value, gamma, gae_lambda):
                target, after = last_value, last_value
                out = np.empty(len(rewards))
                for t in range(len(rewards) - 1, -1, -1):
                    target = rewards[t] + gamma * ((1 - gae_lambda) * after + gae_lambda * target)
                    out[t] = target - values[t]
                    after = values[t]
                return out
        """,
        "by calling itself": """
            def gae_single(rewards, values, last_value, gamma, gae_lambda):
                if len(rewards) == 0:
                    return np.zeros(0)
                rest = gae_single(rewards[1:], values[1:], last_value, gamma, gae_lambda)
                after = values[1] if len(values) > 1 else last_value
                first = rewards[0] + gamma * after - values[0]
                if len(rest):
                    first = first + gamma * gae_lambda * rest[0]
                return np.concatenate([[first], rest])
        """,
        "in torch": """
            import torch
            def gae_single(rewards, values, last_value, gamma, gae_lambda):
                r, v = torch.tensor(rewards).double(), torch.tensor(values).double()
                after = torch.cat([v, torch.tensor([float(last_value)]).double()])[1:]
                delta = r + gamma * after - v
                for t in range(len(delta) - 2, -1, -1):
                    delta[t] += gamma * gae_lambda * delta[t + 1]
                return delta.numpy()
        """,
    },
    "gae_matrix": {
        "with clipped exponents": """
            def gae_matrix(n_steps, gamma, gae_lambda):
                steps = np.arange(n_steps)
                ahead = steps[None, :] - steps[:, None]
                powers = (gamma * gae_lambda) ** np.maximum(ahead, 0).astype(float)
                return np.where(ahead >= 0, powers, 0.0)
        """,
        "one number at a time": """
            def gae_matrix(n_steps, gamma, gae_lambda):
                weights = np.zeros((n_steps, n_steps))
                for t in range(n_steps):
                    for k in range(t, n_steps):
                        weights[t, k] = (gamma * gae_lambda) ** (k - t)
                return weights
        """,
        "a sum of diagonals": """
            def gae_matrix(n_steps, gamma, gae_lambda):
                total = np.eye(n_steps)
                for k in range(1, n_steps):
                    total += (gamma * gae_lambda) ** k * np.eye(n_steps, k=k)
                return total
        """,
        "as an inverse": """
            def gae_matrix(n_steps, gamma, gae_lambda):
                return np.linalg.inv(np.eye(n_steps) - gamma * gae_lambda * np.eye(n_steps, k=1))
        """,
        "from the last row up": """
            def gae_matrix(n_steps, gamma, gae_lambda):
                weights = np.eye(n_steps)
                for t in range(n_steps - 2, -1, -1):
                    weights[t, t + 1 :] = gamma * gae_lambda * weights[t + 1, t + 1 :]
                return weights
        """,
        "as lists": """
            def gae_matrix(n_steps, gamma, gae_lambda):
                fade = gamma * gae_lambda
                rows = []
                for t in range(n_steps):
                    row, weight = [0.0] * t, 1.0
                    for _ in range(n_steps - t):
                        row.append(weight)
                        weight *= fade
                    rows.append(row)
                return np.array(rows)
        """,
    },
    "compute_gae": {
        "one environment at a time": """
            def compute_gae(rewards, values, dones, last_value, last_done, gamma, gae_lambda):
                advantages = np.empty_like(rewards)
                for n in range(rewards.shape[1]):
                    carry, value, done = 0.0, last_value[n], last_done[n]
                    for t in range(rewards.shape[0] - 1, -1, -1):
                        if done:
                            value, carry = 0.0, 0.0
                        delta = rewards[t, n] + gamma * value - values[t, n]
                        carry = delta + gamma * gae_lambda * carry
                        advantages[t, n] = carry
                        value, done = values[t, n], dones[t, n]
                return advantages, advantages + values
        """,
        "by lambda returns": """
            def compute_gae(rewards, values, dones, last_value, last_done, gamma, gae_lambda):
                returns = np.empty_like(rewards)
                target, value, done = last_value, last_value, last_done
                for t in range(len(rewards) - 1, -1, -1):
                    mixed = (1 - gae_lambda) * value + gae_lambda * target
                    target = rewards[t] + gamma * (1 - done) * mixed
                    returns[t] = target
                    value, done = values[t], dones[t]
                return returns - values, returns
        """,
        "all surprises first": """
            def compute_gae(rewards, values, dones, last_value, last_done, gamma, gae_lambda):
                after = np.concatenate([values[1:], last_value[None]])
                going = 1 - np.concatenate([dones[1:], last_done[None]])
                advantages = rewards + gamma * going * after - values
                for t in range(len(rewards) - 2, -1, -1):
                    advantages[t] += gamma * gae_lambda * going[t] * advantages[t + 1]
                return advantages, advantages + values
        """,
        "as an equation": """
            def compute_gae(rewards, values, dones, last_value, last_done, gamma, gae_lambda):
                steps, envs = rewards.shape
                going = 1.0 - np.vstack([dones[1:], last_done])
                delta = rewards + gamma * np.vstack([values[1:], last_value]) * going - values
                out = np.empty((steps, envs))
                for n in range(envs):
                    system = np.eye(steps) - np.diag(gamma * gae_lambda * going[:-1, n], 1)
                    out[:, n] = np.linalg.solve(system, delta[:, n])
                out = out.astype(rewards.dtype)
                return out, out + values
        """,
        "with where": """
            def compute_gae(rewards, values, dones, last_value, last_done, gamma, gae_lambda):
                found, carry = [], np.zeros(rewards.shape[1])
                for t in reversed(range(rewards.shape[0])):
                    is_last = t + 1 == rewards.shape[0]
                    wall = (last_done if is_last else dones[t + 1]) > 0.5
                    after = np.where(wall, 0.0, last_value if is_last else values[t + 1])
                    carry = np.where(wall, 0.0, carry)
                    carry = rewards[t] + gamma * after - values[t] + gamma * gae_lambda * carry
                    found.append(carry)
                advantages = np.stack(found[::-1]).astype(rewards.dtype)
                return advantages, (advantages + values).astype(rewards.dtype)
        """,
        "in torch": """
            import torch
            def compute_gae(rewards, values, dones, last_value, last_done, gamma, gae_lambda):
                r, v = torch.tensor(rewards), torch.tensor(values)
                after = torch.cat([v[1:], torch.tensor(last_value)[None]])
                going = 1 - torch.cat([torch.tensor(dones)[1:], torch.tensor(last_done)[None]])
                delta = r + gamma * going * after - v
                advantages, carry = torch.zeros_like(r), torch.zeros_like(r[0])
                for t in reversed(range(len(r))):
                    carry = advantages[t] = delta[t] + gamma * gae_lambda * going[t] * carry
                return advantages.numpy(), (advantages + v).numpy()
        """,
    },
    "add_truncation_bootstrap": {
        "one number at a time": """
            def add_truncation_bootstrap(rewards, truncated, terminated, final_values, gamma):
                new = rewards.copy()
                for t in range(rewards.shape[0]):
                    for n in range(rewards.shape[1]):
                        if truncated[t, n] and not terminated[t, n]:
                            new[t, n] = new[t, n] + gamma * final_values[t, n]
                return new
        """,
        "at the places of the cuts": """
            def add_truncation_bootstrap(rewards, truncated, terminated, final_values, gamma):
                places = np.nonzero((truncated == 1) & (terminated == 0))
                new = np.array(rewards)
                new[places] += gamma * final_values[places]
                return new
        """,
        "without NaN": """
            def add_truncation_bootstrap(rewards, truncated, terminated, final_values, gamma):
                cut = np.asarray(truncated, dtype=float) * (1 - np.asarray(terminated, dtype=float))
                lost = gamma * np.nan_to_num(final_values) * cut
                return (rewards + lost).astype(rewards.dtype)
        """,
        "chosen between two": """
            def add_truncation_bootstrap(rewards, truncated, terminated, final_values, gamma):
                cut = truncated.astype(bool) & ~terminated.astype(bool)
                new = np.where(cut, rewards + gamma * final_values, rewards)
                return new.astype(rewards.dtype)
        """,
        "a larger flag": """
            def add_truncation_bootstrap(rewards, truncated, terminated, final_values, gamma):
                cut = np.asarray(truncated, dtype=int) > np.asarray(terminated, dtype=int)
                new = np.copy(rewards)
                np.add(new, gamma * np.where(cut, final_values, 0), out=new, where=cut,
                       casting="same_kind")
                return new
        """,
        "in torch": """
            import torch
            def add_truncation_bootstrap(rewards, truncated, terminated, final_values, gamma):
                cut = torch.tensor(truncated).bool() & ~torch.tensor(terminated).bool()
                r, v = torch.tensor(rewards), torch.tensor(final_values)
                return torch.where(cut, r + gamma * v, r).to(r.dtype).numpy()
        """,
    },
}

#: What learners get wrong: name -> (a text of the solution, what they write instead).
MISTAKES: dict[str, dict[str, tuple[str, str]]] = {
    "gae_single": {
        "forwards": ("in reversed(range(len(rewards)))", "in range(len(rewards))"),
        "gamma forgotten in the recursion": (
            "delta + gamma * gae_lambda * following",
            "delta + gae_lambda * following",
        ),
        "lambda forgotten": ("gamma * gae_lambda * following", "gamma * following"),
        "the value twice": ("gamma * next_value - values[t]", "gamma * values[t] - values[t]"),
        "nothing after the last step": (
            "following, next_value = 0.0, last_value",
            "following, next_value = 0.0, 0.0",
        ),
        "the wrong way round": (
            "rewards[t] + gamma * next_value - values[t]",
            "values[t] - rewards[t] - gamma * next_value",
        ),
        "surprises only": ("advantages[t] = following", "advantages[t] = delta"),
        "whole numbers": ("np.zeros(len(rewards))", "np.zeros_like(rewards)"),
        "lambda in the surprise": ("gamma * next_value", "gamma * gae_lambda * next_value"),
    },
    "gae_matrix": {
        "transposed": ("weights[t, t:]", "weights[t:, t]"),
        "gamma forgotten": ("(gamma * gae_lambda)", "gae_lambda"),
        "lambda forgotten": ("(gamma * gae_lambda)", "gamma"),
        "a sum of both": ("gamma * gae_lambda", "gamma + gae_lambda"),
        "one power too many": ("np.arange(n_steps - t)", "np.arange(1, n_steps - t + 1)"),
        "powers of the column": ("np.arange(n_steps - t)", "np.arange(t, n_steps)"),
        "infinite below the diagonal": (
            "weights[t, t:] = (gamma * gae_lambda) ** np.arange(n_steps - t)",
            "weights[t] = (gamma * gae_lambda) ** (np.arange(n_steps) - 1.0 * t)"
            " * (np.arange(n_steps) >= t)",
        ),
        "too narrow": (
            "np.zeros((n_steps, n_steps))",
            "np.zeros((n_steps, n_steps), dtype=np.float32)",
        ),
    },
    "compute_gae": {
        "dones of this step": (
            "goes_on = 1.0 - next_done",
            "goes_on = 1.0 - dones[t]",
        ),
        "no wall in the surprise": ("gamma * goes_on * next_value", "gamma * next_value"),
        "no wall in the recursion": ("gae_lambda * goes_on * following", "gae_lambda * following"),
        "last_done ignored": ("last_value, last_done\n", "last_value, 0.0 * last_done\n"),
        "last_value ignored": ("= 0.0, last_value, last_done", "= 0.0, 0.0, last_done"),
        "the wall the wrong way round": ("1.0 - next_done", "next_done"),
        "returns without values": ("advantages, advantages + values", "advantages, advantages"),
        "rewards as the place to write": (
            "advantages = np.zeros_like(rewards)",
            "advantages = rewards",
        ),
        "always float64": ("np.zeros_like(rewards)", "np.zeros(rewards.shape)"),
        "forwards": ("reversed(range(len(rewards)))", "range(len(rewards))"),
        "steps and environments confused": (
            "goes_on = 1.0 - next_done",
            "goes_on = np.all(1.0 - next_done)",
        ),
    },
    "add_truncation_bootstrap": {
        "ended counts too": ("np.logical_not(terminated)", "True"),
        "every end": (
            "np.logical_and(truncated, np.logical_not(terminated))",
            "np.logical_or(truncated, terminated)",
        ),
        "multiplied instead of chosen": (
            "np.where(is_cut, final_values, 0.0)",
            "is_cut * final_values",
        ),
        "gamma forgotten": ("gamma * lost", "lost"),
        "instead of the reward": (
            "rewards + gamma * lost",
            "np.where(is_cut, gamma * lost, rewards)",
        ),
        "the step before": (
            "lost = np.where(is_cut, final_values, 0.0)",
            "lost = np.roll(np.where(is_cut, final_values, 0.0), -1, axis=0)",
        ),
        "in place": ("(rewards + gamma * lost)", "np.add(rewards, gamma * lost, out=rewards)"),
        "terminated for truncated": (
            "np.logical_and(truncated, np.logical_not(terminated))",
            "np.logical_and(terminated, np.logical_not(truncated))",
        ),
    },
}

_LENGTH = "rewards, values, dones and advantages have the same length"
_WRITTEN = "every element is written afterwards"
_ZERO = "adding -0.0 changes no number"

#: Mutants that are right answers too: the change, as the table prints it, and why.
EQUIVALENT: dict[str, dict[str, str]] = {
    "gae_single": {
        "9: np.zeros -> np.ones": _WRITTEN,
        "10: 0.0 -> -0.0": _ZERO,
        "9: rewards -> -rewards": _LENGTH,
        "9: rewards -> values": _LENGTH,
        "11: rewards -> -rewards": _LENGTH,
        "11: rewards -> advantages": _LENGTH,
        "11: rewards -> values": _LENGTH,
    },
    "gae_matrix": {},
    "compute_gae": {
        "8: np.zeros_like -> np.ones_like": _WRITTEN,
        "8: rewards -> -rewards": _WRITTEN,
        "9: 0.0 -> -0.0": _ZERO,
        "10: rewards -> -rewards": _LENGTH,
        "10: rewards -> advantages": _LENGTH,
        "10: rewards -> dones": _LENGTH,
        "10: rewards -> values": _LENGTH,
    },
    "add_truncation_bootstrap": {
        "4: np.logical_and(truncated, np.logical_not(terminated))"
        " -> np.logical_and(np.logical_not(terminated), truncated)": "both, either way",
        "5: 0.0 -> -0.0": _ZERO,
        "6: rewards -> -rewards": "only the type is asked for",
    },
}

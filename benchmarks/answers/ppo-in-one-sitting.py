"""Answers to the exercises of PPO in one sitting: right ones that look different, wrong ones."""

from __future__ import annotations

#: Mutants that are right answers too: the change, as the table prints it, and why.
_TEMPLATE = "every element is written afterwards; rewards, values and dones have one shape and type"
_START = "the sum starts at 0 whatever the shape and type, which the first addition gives"
_LENGTH = "rewards, values, dones and advantages have the same length"
EQUIVALENT: dict[str, dict[str, str]] = {
    "compute_gae": {
        "4: np.zeros_like -> np.ones_like": _TEMPLATE,
        "4: rewards -> -rewards": _TEMPLATE,
        "4: rewards -> dones": _TEMPLATE,
        "4: rewards -> values": _TEMPLATE,
        "5: np.zeros_like -> lambda a: np.zeros(a.shape)": _START,
        "5: last_value -> -last_value": _START,
        "5: last_value -> gae_lambda": _START,
        "5: last_value -> gamma": _START,
        "5: last_value -> last_done": _START,
        "5: last_value -> 0.0": _START,
        "5: last_value -> 1.0": _START,
        "7: rewards -> -rewards": _LENGTH,
        "7: rewards -> advantages": _LENGTH,
        "7: rewards -> dones": _LENGTH,
        "7: rewards -> values": _LENGTH,
    },
    "clipped_surrogate_loss": {
        "5: np.clip(ratio, 1.0 - clip_range, 1.0 + clip_range)"
        " -> np.clip(1.0 - clip_range, ratio, 1.0 + clip_range)": "the larger, either way",
        "6: np.minimum(ratio * advantages, clipped * advantages)"
        " -> np.minimum(clipped * advantages, ratio * advantages)": "the smaller, either way",
    },
}

#: Right answers that look different: loops, whole arrays, another type, torch where it may be used.
VARIANTS: dict[str, dict[str, str]] = {
    "compute_gae": {
        "one number at a time": """
            def compute_gae(rewards, values, dones, last_value, last_done, gamma, gae_lambda):
                steps, envs = rewards.shape
                advantages = np.empty_like(rewards)
                for n in range(envs):
                    following = 0.0
                    for t in range(steps - 1, -1, -1):
                        done = last_done[n] if t == steps - 1 else dones[t + 1, n]
                        value = last_value[n] if t == steps - 1 else values[t + 1, n]
                        delta = rewards[t, n] + gamma * (1 - done) * value - values[t, n]
                        following = delta + gamma * gae_lambda * (1 - done) * following
                        advantages[t, n] = following
                return advantages, advantages + values
        """,
        "forwards, as a sum for each step": """
            def compute_gae(rewards, values, dones, last_value, last_done, gamma, gae_lambda):
                going = 1 - np.concatenate([dones[1:], last_done[None]])
                after = np.concatenate([values[1:], last_value[None]])
                delta = rewards + gamma * after * going - values
                advantages = np.zeros(rewards.shape)
                for t in range(len(rewards)):
                    weights = np.cumprod(gamma * gae_lambda * going[t:-1], axis=0)
                    weights = np.concatenate([np.ones((1, rewards.shape[1])), weights])
                    advantages[t] = (weights * delta[t:]).sum(axis=0)
                advantages = advantages.astype(rewards.dtype)
                return advantages, (advantages + values).astype(rewards.dtype)
        """,
        "without a loop": """
            def compute_gae(rewards, values, dones, last_value, last_done, gamma, gae_lambda):
                steps, envs = rewards.shape
                going = 1.0 - np.vstack([dones[1:], last_done])
                delta = rewards + gamma * np.vstack([values[1:], last_value]) * going - values
                advantages = np.empty_like(rewards)
                for n in range(envs):
                    system = np.eye(steps) - np.diag(gamma * gae_lambda * going[:-1, n], 1)
                    advantages[:, n] = np.linalg.solve(system, delta[:, n])
                return advantages, values + advantages
        """,
        "as Stable-Baselines3 writes it": """
            def compute_gae(rewards, values, dones, last_value, last_done, gamma, gae_lambda):
                buffer_size = rewards.shape[0]
                advantages = np.zeros_like(rewards)
                last_gae_lam = 0
                for step in reversed(range(buffer_size)):
                    if step == buffer_size - 1:
                        next_non_terminal = 1.0 - last_done.astype(np.float32)
                        next_values = last_value
                    else:
                        next_non_terminal = 1.0 - dones[step + 1]
                        next_values = values[step + 1]
                    delta = rewards[step] + gamma * next_values * next_non_terminal - values[step]
                    last_gae_lam = delta + gamma * gae_lambda * next_non_terminal * last_gae_lam
                    advantages[step] = last_gae_lam
                return advantages, advantages + values
        """,
        "computed in float64": """
            def compute_gae(rewards, values, dones, last_value, last_done, gamma, gae_lambda):
                r, v, d = (np.asarray(x, dtype=np.float64) for x in (rewards, values, dones))
                out, carry = [], 0.0
                v_next, d_next = np.float64(last_value), np.float64(last_done)
                for i in range(len(r))[::-1]:
                    carry = r[i] - v[i] + gamma * (1 - d_next) * (v_next + gae_lambda * carry)
                    out.insert(0, carry)
                    v_next, d_next = v[i], d[i]
                advantages = np.array(out)
                return advantages.astype(rewards.dtype), (advantages + v).astype(rewards.dtype)
        """,
        "in torch": """
            import torch
            def compute_gae(rewards, values, dones, last_value, last_done, gamma, gae_lambda):
                r, v = torch.tensor(rewards), torch.tensor(values)
                v_next = torch.cat([v[1:], torch.tensor(last_value)[None]])
                going = 1 - torch.cat([torch.tensor(dones)[1:], torch.tensor(last_done)[None]])
                delta = r + gamma * going * v_next - v
                advantages, carry = torch.zeros_like(r), torch.zeros_like(r[0])
                for t in reversed(range(len(r))):
                    carry = advantages[t] = delta[t] + gamma * gae_lambda * going[t] * carry
                return advantages.numpy(), (advantages + v).numpy()
        """,
    },
    "clipped_surrogate_loss": {
        "one sample at a time": """
            def clipped_surrogate_loss(logratio, advantages, clip_range):
                total = 0.0
                for log, advantage in zip(logratio, advantages):
                    ratio = float(np.exp(log))
                    inside = min(max(ratio, 1 - clip_range), 1 + clip_range)
                    total += min(ratio * advantage, inside * advantage)
                return -total / len(logratio)
        """,
        "by the sign of the advantage": """
            def clipped_surrogate_loss(logratio, advantages, clip_range):
                ratio = np.exp(logratio)
                good = np.minimum(ratio, 1 + clip_range)
                bad = np.maximum(ratio, 1 - clip_range)
                return -(np.where(advantages > 0, good, bad) * advantages).mean()
        """,
        "as the maximum of two losses": """
            def clipped_surrogate_loss(logratio, advantages, clip_range):
                ratio = np.exp(logratio)
                first = -advantages * ratio
                second = -advantages * ratio.clip(1 - clip_range, 1 + clip_range)
                return float(np.maximum(first, second).mean())
        """,
        "an array without dimensions": """
            def clipped_surrogate_loss(logratio, advantages, clip_range):
                ratio = np.exp(np.asarray(logratio, dtype=np.float64))
                inside = np.clip(ratio, 1 - clip_range, 1 + clip_range)
                return np.array(-np.mean(np.minimum(ratio * advantages, inside * advantages)))
        """,
        "in torch, as a float": """
            import torch
            def clipped_surrogate_loss(logratio, advantages, clip_range):
                ratio, advantages = torch.tensor(logratio).exp(), torch.tensor(advantages)
                inside = torch.clamp(ratio, 1 - clip_range, 1 + clip_range)
                return -torch.min(ratio * advantages, inside * advantages).mean().item()
        """,
        "in torch, as a tensor": """
            import torch
            def clipped_surrogate_loss(logratio, advantages, clip_range):
                ratio, advantages = torch.tensor(logratio).exp(), torch.tensor(advantages)
                inside = ratio.clamp(1 - clip_range, 1 + clip_range)
                return -torch.minimum(ratio * advantages, inside * advantages).mean()
        """,
    },
}

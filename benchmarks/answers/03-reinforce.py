"""Answers to the chapter on REINFORCE: right ones, learners' mistakes, mutants that are right."""

from __future__ import annotations

_LAST = "the last of two dimensions is dimension 1"
_ZERO = "a sum that starts at -0.0 is the same"
_ROWS = "only its length counts, and it has as many rows"
_LENGTH = "only its length counts, and all of these have the same"

VARIANTS: dict[str, dict[str, str]] = {
    "categorical_logprob": {
        "gather": """
            def categorical_logprob(logits, actions):
                return torch.log_softmax(logits, dim=-1).gather(1, actions.unsqueeze(1)).squeeze(1)
        """,
        "torch.distributions": """
            from torch.distributions import Categorical
            def categorical_logprob(logits, actions):
                return Categorical(logits=logits).log_prob(actions)
        """,
        "cross entropy": """
            def categorical_logprob(logits, actions):
                return -torch.nn.functional.cross_entropy(logits, actions, reduction="none")
        """,
        "one row at a time": """
            def categorical_logprob(logits, actions):
                rows = []
                for row, action in zip(logits, actions):
                    shifted = row - row.max()
                    rows.append(shifted[action] - shifted.exp().sum().log())
                return torch.stack(rows)
        """,
        "a mask of ones and zeros": """
            def categorical_logprob(logits, actions):
                chosen = torch.nn.functional.one_hot(actions, logits.shape[1]).to(logits.dtype)
                return (chosen * logits.log_softmax(1)).sum(1)
        """,
        "relative to the action's own logit": """
            def categorical_logprob(logits, actions):
                own = logits[range(len(logits)), actions]
                return -torch.logsumexp(logits - own[:, None], 1)
        """,
    },
    "multidiscrete_logprob": {
        "with offsets": """
            def multidiscrete_logprob(logits, nvec, actions):
                total, first = torch.zeros(len(logits), dtype=logits.dtype), 0
                for k, n in enumerate(nvec):
                    log_p = torch.log_softmax(logits[:, first : first + n], dim=1)
                    total = total + log_p.gather(1, actions[:, k : k + 1])[:, 0]
                    first += n
                return total
        """,
        "torch.distributions": """
            from torch.distributions import Categorical
            def multidiscrete_logprob(logits, nvec, actions):
                parts = [Categorical(logits=part) for part in logits.split(list(nvec), 1)]
                each = [part.log_prob(a) for part, a in zip(parts, actions.T)]
                return torch.stack(each, dim=1).sum(dim=1)
        """,
        "cross entropy": """
            import torch.nn.functional as F
            def multidiscrete_logprob(logits, nvec, actions):
                parts = torch.split(logits, tuple(nvec), dim=1)
                return -sum(
                    F.cross_entropy(part, actions[:, k], reduction="none")
                    for k, part in enumerate(parts)
                )
        """,
        "the joint table": """
            def multidiscrete_logprob(logits, nvec, actions):
                joint = torch.zeros(len(logits), 1, dtype=logits.dtype)
                index = torch.zeros(len(logits), dtype=torch.int64)
                for k, part in enumerate(torch.split(logits, list(nvec), dim=1)):
                    joint = (joint[:, :, None] + part[:, None, :]).flatten(1)
                    index = index * nvec[k] + actions[:, k]
                return joint.log_softmax(1)[torch.arange(len(logits)), index]
        """,
        "one sample at a time": """
            def multidiscrete_logprob(logits, nvec, actions):
                result = []
                for row, action in zip(logits, actions):
                    parts = row.split(list(nvec))
                    result.append(sum(p[a] - p.logsumexp(0) for p, a in zip(parts, action)))
                return torch.stack(result)
        """,
    },
    "reward_to_go": {
        "the definition": """
            def reward_to_go(rewards, ends, gamma):
                result = np.zeros_like(rewards)
                for t in range(len(rewards)):
                    weight = 1.0
                    for k in range(t, len(rewards)):
                        result[t] += weight * rewards[k]
                        weight *= gamma
                        if ends[k]:
                            break
                return result
        """,
        "a list, turned round": """
            def reward_to_go(rewards, ends, gamma):
                found, later = [], 0.0
                for r, end in zip(rewards[::-1], ends[::-1]):
                    later = r if end else r + gamma * later
                    found.append(later)
                return np.array(found[::-1], dtype=rewards.dtype)
        """,
        "episode by episode": """
            def reward_to_go(rewards, ends, gamma):
                pieces = np.split(rewards, np.flatnonzero(ends) + 1)
                found = []
                for piece in pieces:
                    i = np.arange(len(piece))
                    away = i[None, :] - i[:, None]
                    weights = np.where(away >= 0, float(gamma) ** np.maximum(away, 0), 0.0)
                    found.append(weights @ piece.astype(np.float64))
                return np.concatenate(found).astype(rewards.dtype)
        """,
        "a linear system": """
            def reward_to_go(rewards, ends, gamma):
                going = gamma * (1 - np.asarray(ends, dtype=float)[:-1])
                system = np.eye(len(rewards)) - np.diag(going, 1) if len(rewards) else np.eye(0)
                return np.linalg.solve(system, rewards).astype(rewards.dtype)
        """,
        "in torch": """
            def reward_to_go(rewards, ends, gamma):
                r, going = torch.tensor(rewards), 1 - torch.tensor(ends).to(torch.float64)
                result, later = torch.zeros_like(r), 0.0
                for t in range(len(r) - 1, -1, -1):
                    later = float(r[t]) + gamma * float(going[t]) * later
                    result[t] = later
                return result.numpy()
        """,
    },
    "pg_loss": {
        "a dot product": """
            def pg_loss(log_probs, weights):
                if log_probs.shape != weights.shape:
                    raise ValueError(f"{log_probs.shape} and {weights.shape} differ")
                return -torch.dot(log_probs, weights) / len(weights)
        """,
        "detached": """
            def pg_loss(log_probs, weights):
                if weights.size() != log_probs.size():
                    raise ValueError("the shapes differ")
                return torch.mean(-log_probs * weights.detach())
        """,
        "one sample at a time": """
            def pg_loss(log_probs, weights):
                if tuple(log_probs.shape) != tuple(weights.shape):
                    raise ValueError("the shapes differ")
                total = torch.zeros((), dtype=log_probs.dtype)
                for log_prob, weight in zip(log_probs, weights):
                    total = total - weight * log_prob
                return total / log_probs.shape[0]
        """,
        "einsum": """
            def pg_loss(log_probs, weights):
                if log_probs.ndim != 1 or log_probs.shape != weights.shape:
                    raise ValueError("both must be (B,)")
                return torch.einsum("b,b->", log_probs, weights).neg().div(log_probs.numel())
        """,
        "an average with weights": """
            class ShapeError(ValueError):
                pass
            def pg_loss(log_probs, weights):
                if not log_probs.shape == weights.shape:
                    raise ShapeError
                return ((0 - weights) * log_probs).sum() / weights.shape[0]
        """,
    },
    "train_reinforce": {
        "in two functions, from what was written above": """
            def play(env, choose, weights):
                steps, (obs, info) = [], env.reset()
                while True:
                    p = torch.softmax(torch.tensor(obs, dtype=torch.float64) @ weights, 0)
                    action = choose(p.numpy())
                    new, reward, terminated, truncated, info = env.step(action)
                    steps.append((obs, action, reward))
                    obs = new
                    if terminated or truncated:
                        return steps
            def train_reinforce(env, choose, weights, updates, episodes, learning_rate, gamma):
                w = torch.nn.Parameter(weights.clone())
                adam, returns = torch.optim.Adam([w], learning_rate), []
                for _ in range(updates):
                    steps, ends = [], []
                    for _ in range(episodes):
                        new = play(env, choose, w.detach())
                        steps += new
                        ends += [0.0] * (len(new) - 1) + [1.0]
                        returns.append(float(sum(reward for _, _, reward in new)))
                    obs, actions, rewards = zip(*steps)
                    togo = torch.tensor(reward_to_go(np.array(rewards), np.array(ends), gamma))
                    logits = torch.tensor(np.array(obs), dtype=torch.float64) @ w
                    loss = pg_loss(
                        categorical_logprob(logits, torch.tensor(actions)), togo - togo.mean()
                    )
                    adam.zero_grad()
                    loss.backward()
                    adam.step()
                return w.detach(), returns
        """,
        "the gradient by hand": """
            def train_reinforce(env, choose, weights, updates, episodes, learning_rate, gamma):
                w = weights.clone()
                adam = torch.optim.Adam([w], lr=learning_rate)
                returns = []
                for _ in range(updates):
                    scores, togo = [], []
                    for _ in range(episodes):
                        obs, over, got = env.reset()[0], False, []
                        while not over:
                            x = torch.as_tensor(obs, dtype=torch.float64)
                            p = torch.softmax(x @ w, dim=0)
                            action = choose(p.numpy())
                            push = -p
                            push[action] += 1
                            scores.append(torch.outer(x, push))
                            obs, reward, dead, cut, _ = env.step(action)
                            got.append(reward)
                            over = dead or cut
                        returns.append(float(np.sum(got)))
                        for t in range(len(got)):
                            togo.append(sum(r * gamma**k for k, r in enumerate(got[t:])))
                    a = torch.tensor(togo, dtype=torch.float64)
                    a -= a.mean()
                    w.grad = -(torch.stack(scores) * a[:, None, None]).mean(0)
                    adam.step()
                return w, returns
        """,
        "NumPy with an Adam of its own": """
            def train_reinforce(env, choose, weights, updates, episodes, learning_rate, gamma):
                w, returns = weights.numpy().copy(), []
                m, v = np.zeros_like(w), np.zeros_like(w)
                for k in range(updates):
                    total, plain, count, togo_sum = 0.0, 0.0, 0, 0.0
                    for _ in range(episodes):
                        obs, _ = env.reset()
                        scores, rewards, over = [], [], False
                        while not over:
                            z = obs @ w
                            p = np.exp(z - z.max())
                            p = p / p.sum()
                            action = choose(p)
                            scores.append(obs[:, None] * (np.eye(len(p))[action] - p))
                            obs, reward, terminated, truncated, _ = env.step(action)
                            rewards.append(reward)
                            over = terminated or truncated
                        returns.append(float(sum(rewards)))
                        later = 0.0
                        for score, reward in zip(scores[::-1], rewards[::-1]):
                            later = reward + gamma * later
                            total, plain = total + later * score, plain + score
                            count, togo_sum = count + 1, togo_sum + later
                    g = -(total - togo_sum / count * plain) / count
                    m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
                    root = np.sqrt(v / (1 - 0.999 ** (k + 1))) + 1e-8
                    w = w - learning_rate * m / (1 - 0.9 ** (k + 1)) / root
                return torch.tensor(w), returns
        """,
        "backward for each episode": """
            def train_reinforce(env, choose, weights, updates, episodes, learning_rate, gamma):
                w = weights.clone().requires_grad_()
                opt = torch.optim.Adam([w], lr=learning_rate)
                returns = []
                for u in range(updates):
                    opt.zero_grad()
                    batch = []
                    for e in range(episodes):
                        obs, _ = env.reset()
                        logs, rewards, done = [], [], False
                        while not done:
                            dist = torch.distributions.Categorical(
                                logits=torch.as_tensor(obs).double() @ w
                            )
                            action = choose(dist.probs.detach().numpy())
                            logs.append(dist.log_prob(torch.tensor(action)))
                            obs, r, term, trunc, _ = env.step(action)
                            rewards.append(r)
                            done = term or trunc
                        returns.append(float(sum(rewards)))
                        n = len(rewards)
                        powers = torch.tensor(
                            [
                                [gamma ** (j - i) if j >= i else 0.0 for j in range(n)]
                                for i in range(n)
                            ],
                            dtype=torch.float64,
                        )
                        togo = powers @ torch.tensor(rewards, dtype=torch.float64)
                        batch.append((torch.stack(logs), togo))
                    mean = torch.cat([togo for _, togo in batch]).mean()
                    count = sum(len(togo) for _, togo in batch)
                    for logs, togo in batch:
                        (-((togo - mean) * logs).sum() / count).backward()
                    opt.step()
                return w.detach().clone(), returns
        """,
        "cross entropy with weights": """
            def train_reinforce(env, choose, weights, updates, episodes, learning_rate, gamma):
                layer = torch.nn.Linear(*weights.shape, bias=False, dtype=torch.float64)
                with torch.no_grad():
                    layer.weight.copy_(weights.T)
                optimizer, returns = torch.optim.Adam(layer.parameters(), learning_rate), []
                while len(returns) < updates * episodes:
                    seen, taken, togo = [], [], []
                    for _ in range(episodes):
                        obs, rewards, over = env.reset()[0], [], False
                        while not over:
                            seen.append(torch.tensor(obs, dtype=torch.float64))
                            with torch.no_grad():
                                p = layer(seen[-1]).softmax(0).numpy()
                            taken.append(choose(p))
                            obs, reward, one, other, _ = env.step(taken[-1])
                            rewards.append(reward)
                            over = one or other
                        returns.append(float(sum(rewards)))
                        g = [0.0]
                        for reward in rewards[::-1]:
                            g.insert(0, reward + gamma * g[0])
                        togo += g[:-1]
                    togo = torch.tensor(togo, dtype=torch.float64)
                    surprise = torch.nn.functional.cross_entropy(
                        layer(torch.stack(seen)), torch.tensor(taken), reduction="none"
                    )
                    optimizer.zero_grad(set_to_none=False)
                    torch.mean(surprise * (togo - togo.mean())).backward()
                    optimizer.step()
                return layer.weight.detach().T, returns
        """,
    },
}

MISTAKES: dict[str, dict[str, tuple[str, str]]] = {
    "categorical_logprob": {
        "the softmax first": (
            "logits - torch.logsumexp(logits, dim=1, keepdim=True)",
            "torch.log(torch.exp(logits) / torch.exp(logits).sum(dim=1, keepdim=True))",
        ),
        "normalised over the batch": ("dim=1", "dim=0"),
        "every action for every row": ("[torch.arange(len(actions)), actions]", "[:, actions]"),
        "the probability": (
            "return log_probs[torch.arange(len(actions)), actions]",
            "return log_probs[torch.arange(len(actions)), actions].exp()",
        ),
        "not normalised": ("logits - torch.logsumexp(logits, dim=1, keepdim=True)", "logits"),
        "the likeliest action": (
            "log_probs[torch.arange(len(actions)), actions]",
            "log_probs.max(dim=1).values",
        ),
        "the mean of the batch": (
            "return log_probs[torch.arange(len(actions)), actions]",
            "return log_probs[torch.arange(len(actions)), actions].mean()",
        ),
        "a column": (
            "log_probs[torch.arange(len(actions)), actions]",
            "log_probs.gather(1, actions[:, None])",
        ),
        "one softmax for the whole table": (
            "torch.logsumexp(logits, dim=1, keepdim=True)",
            "torch.logsumexp(logits.flatten(), dim=0)",
        ),
    },
    "multidiscrete_logprob": {
        "one softmax over all parts": (
            "log_probs = torch.log_softmax(part, dim=1)",
            "log_probs = part - torch.logsumexp(logits, dim=1, keepdim=True)",
        ),
        "the mean of the parts": ("return total", "return total / len(nvec)"),
        "the product of the logarithms": (
            "total = total + log_probs[torch.arange(len(part)), action]",
            "total = (total or 1.0) * log_probs[torch.arange(len(part)), action]"
            " if isinstance(total, float) else total * log_probs[torch.arange(len(part)), action]",
        ),
        "only the last part": ("total = total + log_probs", "total = log_probs"),
        "the sum of the probabilities": (
            "total + log_probs[torch.arange(len(part)), action]",
            "total + log_probs[torch.arange(len(part)), action].exp()",
        ),
        "a column for each part": (
            "total = total + log_probs[torch.arange(len(part)), action]",
            "total = [*(total or []), log_probs[torch.arange(len(part)), action]]",
        ),
        "added over the batch": ("return total", "return total.sum()"),
        "parts of equal width": ("torch.split(logits, nvec, dim=1)", "logits.chunk(len(nvec), 1)"),
        "the softmax first": (
            "torch.log_softmax(part, dim=1)",
            "torch.log(part.exp() / part.exp().sum(dim=1, keepdim=True))",
        ),
    },
    "reward_to_go": {
        "the ends ignored": ("* (1 - ends[t]) ", ""),
        "the next step's end": ("ends[t]", "ends[min(t + 1, len(ends) - 1)]"),
        "the end inverted": ("(1 - ends[t])", "ends[t]"),
        "forwards": ("reversed(range(len(result)))", "range(len(result))"),
        "the discount forgotten": (
            "gamma * (1 - ends[t]) * following",
            "(1 - ends[t]) * following",
        ),
        "the own reward discounted too": (
            "rewards[t] + gamma * (1 - ends[t]) * following",
            "gamma * (rewards[t] + (1 - ends[t]) * following)",
        ),
        "the reward of an end left out": (
            "rewards[t] + gamma * (1 - ends[t]) * following",
            "(1 - ends[t]) * (rewards[t] + gamma * following)",
        ),
        "the input overwritten": ("np.empty_like(rewards)", "rewards"),
        "always float64": ("np.empty_like(rewards)", "np.empty(rewards.shape)"),
        "discounted from the start of the rollout": (
            "result[t] = following",
            "result[t] = gamma ** t * following",
        ),
    },
    "pg_loss": {
        "the sign": ("-(log_probs", "(log_probs"),
        "the sum": (".mean()", ".sum()"),
        "no mean at all": (".mean()", ""),
        "shapes not compared": ("if log_probs.shape != weights.shape:", "if False:"),
        "only the lengths compared": (
            "if log_probs.shape != weights.shape:",
            "if len(log_probs) != len(weights):",
        ),
        "the probability": ("(log_probs * weights)", "(log_probs.exp() * weights)"),
        "means multiplied": (
            "-(log_probs * weights).mean()",
            "-log_probs.mean() * weights.mean()",
        ),
        "weights normalised as well": (
            "(log_probs * weights)",
            "(log_probs * (weights - weights.mean()))",
        ),
        "the absolute weight": ("(log_probs * weights)", "(log_probs * weights.abs())"),
    },
    "train_reinforce": {
        "the sign": ("loss = -(", "loss = ("),
        "gradients not reset": ("optimizer.zero_grad()", "pass"),
        "the whole return for every step": (
            "to_go.extend(reversed(backwards))",
            "to_go.extend([backwards[-1]] * len(backwards))",
        ),
        "rewards-to-go not turned round": (
            "to_go.extend(reversed(backwards))",
            "to_go.extend(backwards)",
        ),
        "nothing subtracted": ("advantages = advantages - advantages.mean()", "pass"),
        "divided by the deviation too": (
            "advantages = advantages - advantages.mean()",
            "advantages = (advantages - advantages.mean()) / (advantages.std() + 1e-8)",
        ),
        "the mean of each episode subtracted": (
            "to_go.extend(reversed(backwards))",
            "to_go.extend(g - np.mean(backwards) for g in reversed(backwards))",
        ),
        "truncation ignored": ("terminated or truncated", "terminated or len(rewards) > 400"),
        "a new optimiser for each update": (
            "log_probs, to_go = [], []",
            "log_probs, to_go = [], []; optimizer = torch.optim.Adam([weights], lr=learning_rate)",
        ),
        "gradient descent without Adam": ("torch.optim.Adam", "torch.optim.SGD"),
        "the sum of the steps": ("* advantages).mean()", "* advantages).sum()"),
        "one sum over all episodes of a batch": (
            "            rewards, ended = [], False",
            "            rewards, ended = (rewards if log_probs else []), False",
        ),
        "the discounted return reported": (
            "returns.append(sum(rewards))",
            "returns.append(sum(gamma**t * r for t, r in enumerate(rewards)))",
        ),
        "the best action, not a drawn one": (
            "action = choose(log_p.detach().exp().numpy())",
            "action = int(log_p.argmax())",
        ),
        "logits given to the die": ("log_p.detach().exp()", "log_p.detach()"),
        "the weights changed in place": (
            "weights.clone().requires_grad_(True)",
            "weights.requires_grad_(True)",
        ),
    },
}

EQUIVALENT: dict[str, dict[str, str]] = {
    "categorical_logprob": {
        "7: 1 -> -1": _LAST,
        "8: actions -> -actions": _ROWS,
        "8: actions -> log_probs": _ROWS,
        "8: actions -> logits": _ROWS,
    },
    "multidiscrete_logprob": {
        "8: 0.0 -> -0.0": _ZERO,
        "9: 1 -> -1": _LAST,
        "10: 1 -> -1": _LAST,
        "11: part -> -part": _ROWS,
        "11: part -> action": _ROWS,
        "11: part -> actions": _ROWS,
        "11: part -> log_probs": _ROWS,
        "11: part -> logits": _ROWS,
    },
    "reward_to_go": {
        "9: 0.0 -> -0.0": _ZERO,
        "8: rewards -> -rewards": "every element is written afterwards",
        "10: result -> -result": _LENGTH,
        "10: result -> ends": _LENGTH,
        "10: result -> rewards": _LENGTH,
    },
    "pg_loss": {
        "8: log_probs -> -log_probs": "only its shape counts",
        "8: weights -> -weights": "only its shape counts",
    },
    "train_reinforce": {
        "16: ended -> -ended": "minus True is still not 0",
        "23: terminated -> -terminated": "minus True is still not 0",
        "23: truncated -> -truncated": "minus True is still not 0",
        "25: 0.0 -> -0.0": _ZERO,
        "22: float(reward) -> reward": "the rewards of these environments are floats already",
        "18: 0 -> -1": "there is only one dimension",
        "36: weights.detach() -> weights": "the same numbers; the graph does not leave the process",
    },
}

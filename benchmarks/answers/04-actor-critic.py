"""Answers to the chapter on actor and critic: right ones, learners' mistakes, right mutants."""

from __future__ import annotations

_SIGN = "minus a random orthogonal matrix is one that is as likely"
_SQUARE = "the square has no sign"
_LAST = "the last of two dimensions is dimension 1"
_ROWS = "only its length counts, and it has as many rows"

VARIANTS: dict[str, dict[str, str]] = {
    "layer_init": {
        "in a no_grad block": """
            def layer_init(n_inputs, n_outputs, std, bias=0.0):
                layer = torch.nn.Linear(in_features=n_inputs, out_features=n_outputs)
                with torch.no_grad():
                    torch.nn.init.orthogonal_(layer.weight, gain=std)
                    layer.bias.fill_(bias)
                return layer
        """,
        "by QR": """
            def layer_init(n_inputs, n_outputs, std, bias=0.0):
                tall, thin = max(n_inputs, n_outputs), min(n_inputs, n_outputs)
                q, r = torch.linalg.qr(torch.randn(tall, thin, dtype=torch.float64))
                q = q * torch.sign(torch.diagonal(r))
                matrix = q if n_outputs == tall else q.T
                layer = nn.Linear(n_inputs, n_outputs)
                layer.weight.data = (std * matrix).float().contiguous()
                layer.bias.data.fill_(bias)
                return layer
        """,
        "by a singular value decomposition": """
            def layer_init(n_inputs, n_outputs, std, bias=0.0):
                u, _, vt = np.linalg.svd(
                    np.random.normal(size=(n_outputs, n_inputs)), full_matrices=False
                )
                layer = nn.Linear(n_inputs, n_outputs)
                layer.weight = nn.Parameter(torch.tensor(std * (u @ vt), dtype=torch.float32))
                layer.bias = nn.Parameter(torch.full((n_outputs,), float(bias)))
                return layer
        """,
        "a state dict": """
            def layer_init(n_inputs, n_outputs, std, bias=0.0):
                layer = nn.Linear(n_inputs, n_outputs)
                weight = nn.init.orthogonal_(torch.empty(n_outputs, n_inputs)) * std
                layer.load_state_dict({"weight": weight, "bias": torch.zeros(n_outputs) + bias})
                return layer
        """,
        "Gram and Schmidt": """
            def layer_init(n_inputs, n_outputs, std, bias=0.0):
                count, size = min(n_inputs, n_outputs), max(n_inputs, n_outputs)
                rows = []
                for row in np.random.normal(size=(count, size)):
                    for _ in range(2):
                        for other in rows:
                            row = row - (row @ other) * other
                    rows.append(row / np.linalg.norm(row))
                matrix = np.array(rows) if n_inputs >= n_outputs else np.array(rows).T
                layer = nn.Linear(n_inputs, n_outputs)
                with torch.no_grad():
                    layer.weight.copy_(torch.tensor(std * matrix))
                    layer.bias.copy_(torch.full((n_outputs,), float(bias)))
                return layer
        """,
    },
    "build_actor_critic": {
        "one long Sequential each": """
            def build_actor_critic(obs_dim, n_actions, shared):
                g = 2 ** 0.5
                def layers():
                    return [
                        orthogonal_linear(obs_dim, 64, g), nn.Tanh(),
                        orthogonal_linear(64, 64, g), nn.Tanh(),
                    ]
                actor, critic = orthogonal_linear(64, n_actions, 0.01), orthogonal_linear(64, 1, 1)
                if shared:
                    return ActorCritic(actor, critic, body=nn.Sequential(*layers()))
                left, right = nn.Sequential(*layers(), actor), nn.Sequential(*layers(), critic)
                return ActorCritic(left, right)
        """,
        "the same body in both": """
            import math
            def build_actor_critic(obs_dim, n_actions, shared):
                def body():
                    return nn.Sequential(
                        orthogonal_linear(obs_dim, 64, math.sqrt(2)), nn.Tanh(),
                        orthogonal_linear(64, 64, math.sqrt(2)), nn.Tanh(),
                    )
                first = body()
                second = first if shared else body()
                return ActorCritic(
                    nn.Sequential(first, orthogonal_linear(64, n_actions, 0.01)),
                    nn.Sequential(second, orthogonal_linear(64, 1, 1.0)),
                )
        """,
        "a class of one's own": """
            class Net(nn.Module):
                def __init__(self, obs_dim, n_actions, shared):
                    super().__init__()
                    self.shared = shared
                    self.a1, self.a2 = self.body(obs_dim)
                    if not shared:
                        self.c1, self.c2 = self.body(obs_dim)
                    self.logits = orthogonal_linear(64, n_actions, 0.01)
                    self.value = orthogonal_linear(64, 1, 1.0)
                def body(self, obs_dim):
                    gain = nn.init.calculate_gain("relu")
                    return orthogonal_linear(obs_dim, 64, gain), orthogonal_linear(64, 64, gain)
                def forward(self, x):
                    a = torch.tanh(self.a2(torch.tanh(self.a1(x))))
                    c = a if self.shared else torch.tanh(self.c2(torch.tanh(self.c1(x))))
                    return self.logits(a), self.value(c)[:, 0]
            def build_actor_critic(obs_dim, n_actions, shared):
                return Net(obs_dim, n_actions, shared)
        """,
        "torch's own orthogonal_": """
            def build_actor_critic(obs_dim, n_actions, shared):
                def linear(i, o, gain):
                    layer = nn.Linear(i, o)
                    nn.init.orthogonal_(layer.weight, gain)
                    nn.init.zeros_(layer.bias)
                    return layer
                def mlp():
                    sizes, layers = [obs_dim, 64, 64], []
                    for i, o in zip(sizes, sizes[1:]):
                        layers += [linear(i, o, np.sqrt(2)), nn.Tanh()]
                    return nn.Sequential(*layers)
                policy, value = linear(64, n_actions, 0.01), linear(64, 1, 1.0)
                if not shared:
                    return ActorCritic(nn.Sequential(mlp(), policy), nn.Sequential(mlp(), value))
                return ActorCritic(actor=policy, critic=value, body=mlp())
        """,
        "the critic first, an Identity as body": """
            def build_actor_critic(obs_dim, n_actions, shared):
                value = orthogonal_linear(64, 1, 1.0)
                policy = orthogonal_linear(64, n_actions, 0.01)
                bodies = []
                for _ in range(1 if shared else 2):
                    one = orthogonal_linear(obs_dim, 64, 1.4142135623730951)
                    two = orthogonal_linear(64, 64, 1.4142135623730951)
                    bodies.append(nn.Sequential(one, nn.Tanh(), nn.Sequential(two, nn.Tanh())))
                if shared:
                    return ActorCritic(policy, value, bodies[0])
                return ActorCritic(
                    nn.Sequential(bodies[1], policy), nn.Sequential(bodies[0], value), nn.Identity()
                )
        """,
    },
    "advantages_td": {
        "with where": """
            def advantages_td(rewards, values, next_values, terminated, gamma):
                after = np.where(terminated == 1, 0 * next_values, next_values)
                return rewards + gamma * after - values
        """,
        "in place, on a copy": """
            def advantages_td(rewards, values, next_values, terminated, gamma):
                result = rewards.copy()
                alive = terminated == 0
                result[alive] += gamma * next_values[alive]
                result -= values
                return result
        """,
        "one number at a time": """
            def advantages_td(rewards, values, next_values, terminated, gamma):
                result = np.empty_like(rewards)
                for t in range(rewards.shape[0]):
                    for n in range(rewards.shape[1]):
                        after = 0.0 if terminated[t, n] else next_values[t, n]
                        result[t, n] = rewards[t, n] + gamma * after - values[t, n]
                return result
        """,
        "in float64": """
            def advantages_td(rewards, values, next_values, terminated, gamma):
                arrays = rewards, values, next_values, terminated
                r, v, after, over = (np.asarray(x, dtype=np.float64) for x in arrays)
                return (r - v + (1.0 - over) * after * gamma).astype(rewards.dtype)
        """,
        "in torch": """
            def advantages_td(rewards, values, next_values, terminated, gamma):
                r, v, after, over = map(torch.tensor, (rewards, values, next_values, terminated))
                target = torch.where(over.bool(), r, r + gamma * after)
                return (target - v).numpy()
        """,
    },
    "value_loss": {
        "from PyTorch": """
            def value_loss(values, returns):
                if values.shape != returns.shape:
                    raise ValueError(f"{values.shape} and {returns.shape} differ")
                return torch.nn.functional.mse_loss(values, returns) / 2
        """,
        "a dot product": """
            def value_loss(values, returns):
                if values.size() != returns.size():
                    raise ValueError("shapes differ")
                error = returns - values
                return torch.dot(error, error) / (2 * len(error))
        """,
        "one sample at a time": """
            def value_loss(values, returns):
                if tuple(values.shape) != tuple(returns.shape):
                    raise ValueError("shapes differ")
                total = torch.zeros((), dtype=values.dtype)
                for value, target in zip(values, returns):
                    total = total + (value - target) ** 2 / 2
                return total / len(values)
        """,
        "written out": """
            def value_loss(values, returns):
                if not values.shape == returns.shape:
                    raise ValueError
                return torch.mean(0.5 * values**2 - values * returns + 0.5 * returns**2)
        """,
        "the norm": """
            def value_loss(values, returns):
                if values.ndim != returns.ndim or len(values) != len(returns):
                    raise ValueError("shapes differ")
                length = torch.linalg.vector_norm(values - returns.detach())
                return length.pow(2) / values.numel() * 0.5
        """,
    },
    "a2c_update": {
        "torch.distributions": """
            from torch.distributions import Categorical
            def a2c_update(weights, batches, learning_rate, value_coef, ent_coef):
                model = load_network(weights)
                optimizer = torch.optim.SGD(model.parameters(), lr=learning_rate)
                history = []
                for batch in batches:
                    logits, values = model(batch["obs"])
                    pi = Categorical(logits=logits)
                    with torch.no_grad():
                        advantages = batch["returns"] - values
                    policy = (-pi.log_prob(batch["actions"]) * advantages).mean()
                    value = torch.nn.functional.mse_loss(values, batch["returns"]) / 2
                    entropy = pi.entropy().mean()
                    optimizer.zero_grad()
                    (policy + value_coef * value - ent_coef * entropy).backward()
                    optimizer.step()
                    names = ("policy_loss", "value_loss", "entropy")
                    history.append(dict(zip(names, map(float, (policy, value, entropy)))))
                return weights_of(model), history
        """,
        "gradients asked for, steps by hand": """
            def a2c_update(weights, batches, learning_rate, value_coef, ent_coef):
                model, history = load_network(weights), []
                for batch in batches:
                    logits, values = model(batch["obs"])
                    surprise = torch.nn.functional.cross_entropy(
                        logits, batch["actions"], reduction="none"
                    )
                    error = batch["returns"] - values
                    policy = (surprise * error.detach()).mean()
                    value = (error**2).mean() / 2
                    p = logits.softmax(1)
                    entropy = -(p * p.log()).sum(1).mean()
                    loss = policy + value_coef * value - ent_coef * entropy
                    parameters = list(model.parameters())
                    gradients = torch.autograd.grad(loss, parameters)
                    with torch.no_grad():
                        for parameter, gradient in zip(parameters, gradients):
                            parameter -= learning_rate * gradient
                    history.append({
                        "policy_loss": policy.item(),
                        "value_loss": value.item(),
                        "entropy": entropy.item(),
                    })
                return weights_of(model), history
        """,
        "three backwards": """
            def a2c_update(weights, batches, learning_rate, value_coef, ent_coef):
                model = load_network(weights)
                optimizer = torch.optim.SGD(model.parameters(), lr=learning_rate)
                history = []
                for batch in batches:
                    model.zero_grad()
                    logits, values = model(batch["obs"])
                    log_p = logits.log_softmax(1)
                    advantages = batch["returns"] - values.detach()
                    chosen = log_p.gather(1, batch["actions"][:, None])[:, 0]
                    policy = -torch.mean(advantages * chosen)
                    value = torch.mean((values - batch["returns"]) ** 2) * 0.5
                    bonus = torch.mean(torch.sum(log_p.exp() * log_p, dim=1))
                    policy.backward(retain_graph=True)
                    (value_coef * value).backward(retain_graph=True)
                    (ent_coef * bonus).backward()
                    optimizer.step()
                    entry = dict(policy_loss=float(policy), value_loss=float(value))
                    history.append({**entry, "entropy": -float(bonus)})
                return weights_of(model), history
        """,
        "functional, without an optimiser": """
            def a2c_update(weights, batches, learning_rate, value_coef, ent_coef):
                now = {name: value.clone() for name, value in weights.items()}
                history = []
                for batch in batches:
                    w = {name: value.detach().requires_grad_() for name, value in now.items()}
                    h = torch.tanh(batch["obs"] @ w["body.weight"].T + w["body.bias"])
                    log_p = (h @ w["actor.weight"].T + w["actor.bias"]).log_softmax(-1)
                    v = h @ w["critic.weight"][0] + w["critic.bias"]
                    rows = torch.arange(len(v))
                    a = (batch["returns"] - v).detach()
                    parts = (
                        -(a * log_p[rows, batch["actions"]]).mean(),
                        (v - batch["returns"]).square().mean() / 2,
                        -(log_p.exp() * log_p).sum(-1).mean(),
                    )
                    (parts[0] + value_coef * parts[1] - ent_coef * parts[2]).backward()
                    now = {name: (x - learning_rate * x.grad).detach() for name, x in w.items()}
                    policy, value, entropy = (part.item() for part in parts)
                    history.append({"policy_loss": policy, "value_loss": value, "entropy": entropy})
                return now, history
        """,
        "the gradient by hand": """
            def a2c_update(weights, batches, learning_rate, value_coef, ent_coef):
                w, history = {name: value.clone() for name, value in weights.items()}, []
                for batch in batches:
                    x, n = batch["obs"], len(batch["obs"])
                    h = torch.tanh(x @ w["body.weight"].T + w["body.bias"])
                    log_p = torch.log_softmax(h @ w["actor.weight"].T + w["actor.bias"], 1)
                    p, v = log_p.exp(), h @ w["critic.weight"][0] + w["critic.bias"]
                    hot = torch.eye(p.shape[1], dtype=p.dtype)[batch["actions"]]
                    error = batch["returns"] - v
                    each = -(p * log_p).sum(1)
                    history.append({
                        "policy_loss": float(-((hot * log_p).sum(1) * error).mean()),
                        "value_loss": float((error * error).mean() / 2),
                        "entropy": float(each.mean()),
                    })
                    dz = (p - hot) * error[:, None] + ent_coef * p * (log_p + each[:, None])
                    dv = -value_coef * error[:, None]
                    dh = (dz @ w["actor.weight"] + dv @ w["critic.weight"]) * (1 - h * h)
                    for part, d, below in (("actor", dz, h), ("critic", dv, h), ("body", dh, x)):
                        w[part + ".weight"] -= learning_rate * d.T @ below / n
                        w[part + ".bias"] -= learning_rate * d.sum(0) / n
                return w, history
        """,
    },
}

MISTAKES: dict[str, dict[str, tuple[str, str]]] = {
    "layer_init": {
        "left as PyTorch makes it": ("nn.init.orthogonal_(layer.weight, std)", "pass"),
        "the gain forgotten": ("(layer.weight, std)", "(layer.weight)"),
        "the gain squared": ("(layer.weight, std)", "(layer.weight, std**2)"),
        "normal numbers": (
            "nn.init.orthogonal_(layer.weight, std)",
            "nn.init.normal_(layer.weight, 0.0, std)",
        ),
        "Xavier": (
            "nn.init.orthogonal_(layer.weight, std)",
            "nn.init.xavier_uniform_(layer.weight, std)",
        ),
        "the identity": (
            "nn.init.orthogonal_(layer.weight, std)",
            "nn.init.eye_(layer.weight).data.mul_(std)",
        ),
        "biases left as they were": ("nn.init.constant_(layer.bias, bias)", "pass"),
        "biases always 0": ("nn.init.constant_(layer.bias, bias)", "nn.init.zeros_(layer.bias)"),
        "the sizes swapped": ("nn.Linear(n_inputs, n_outputs)", "nn.Linear(n_outputs, n_inputs)"),
        "no bias": (
            "    nn.init.constant_(layer.bias, bias)\n",
            "    layer = nn.Linear(n_inputs, n_outputs, bias=False)\n",
        ),
        "the same seed every time": (
            "layer = nn.Linear",
            "torch.manual_seed(0); layer = nn.Linear",
        ),
    },
    "build_actor_critic": {
        "ReLU": ("nn.Tanh()", "nn.ReLU()"),
        "shared and separate swapped": ("if shared:", "if not shared:"),
        "always separate": ("if shared:", "if False:"),
        "always shared": ("if shared:", "if True:"),
        "policy head with gain 1": ("n_actions, 0.01", "n_actions, 1.0"),
        "value head with gain 0.01": ("(64, 1, 1.0)", "(64, 1, 0.01)"),
        "hidden layers with gain 1": ("2**0.5", "1.0"),
        "PyTorch's own start": ("orthogonal_linear(64, 64, 2**0.5)", "nn.Linear(64, 64)"),
        "no tanh after the last hidden layer": (
            "orthogonal_linear(64, 64, 2**0.5),\n            nn.Tanh(),",
            "orthogonal_linear(64, 64, 2**0.5),",
        ),
        "a tanh on the value": (
            "nn.Sequential(hidden(), value_head)",
            "nn.Sequential(hidden(), value_head, nn.Tanh())",
        ),
        "probabilities, not logits": (
            "nn.Sequential(hidden(), policy_head)",
            "nn.Sequential(hidden(), policy_head, nn.Softmax(dim=1))",
        ),
        "32 units": ("64", "32"),
    },
    "advantages_td": {
        "terminated ignored": ("gamma * (1 - terminated) * next_values", "gamma * next_values"),
        "terminated inverted": ("(1 - terminated)", "terminated"),
        "the value not subtracted": (" - values", ""),
        "the values swapped": (
            "(1 - terminated) * next_values - values",
            "(1 - terminated) * values - next_values",
        ),
        "the discount forgotten": ("gamma * (1 - terminated)", "(1 - terminated)"),
        "the whole masked": (
            "rewards + gamma * (1 - terminated) * next_values - values",
            "(1 - terminated) * (rewards + gamma * next_values - values)",
        ),
        "the value discounted too": ("- values", "- gamma * values"),
        "normalised": (
            "return rewards + gamma * (1 - terminated) * next_values - values",
            "a = rewards + gamma * (1 - terminated) * next_values - values\n"
            "    return (a - a.mean()) / (a.std() + 1e-8)",
        ),
        "next values from the next row": (
            "next_values - values",
            "np.roll(values, -1, axis=0) - values",
        ),
        "the input changed": (
            "return rewards + gamma",
            "rewards += 0.0 if rewards.size == 0 else 1e-3\n    return rewards + gamma",
        ),
    },
    "value_loss": {
        "shapes not compared": ("if values.shape != returns.shape:", "if False:"),
        "only the lengths compared": (
            "if values.shape != returns.shape:",
            "if len(values) != len(returns):",
        ),
        "only the number of elements compared": (
            "if values.shape != returns.shape:",
            "if values.numel() != returns.numel():",
        ),
        "the half forgotten": ("0.5 * ", ""),
        "the sum": (".mean()", ".sum()"),
        "the absolute error": (".square()", ".abs()"),
        "the square of the mean": (".square().mean()", ".mean().square()"),
        "the error, not squared": (".square()", ""),
        "a root at the end": (".square().mean()", ".square().mean().sqrt()"),
        "no mean": (".mean()", ""),
    },
    "a2c_update": {
        "not detached": (".detach()", ""),
        "the critic detached too": (
            '(batch["returns"] - values).square()',
            '(batch["returns"] - values.detach()).square()',
        ),
        "the sign of the policy loss": ("policy = -(", "policy = ("),
        "the sign of the entropy bonus": ("- ent_coef * entropy", "+ ent_coef * entropy"),
        "the entropy reported negative": (
            '"entropy": entropy.item()',
            '"entropy": -entropy.item()',
        ),
        "the advantage turned round": (
            '(batch["returns"] - values).detach()',
            '(values - batch["returns"]).detach()',
        ),
        "gradients not reset": ("optimizer.zero_grad()", "pass"),
        "gradients reset too late": (
            "optimizer.zero_grad()\n        loss.backward()",
            "loss.backward()\n        optimizer.zero_grad()",
        ),
        "the half forgotten": ("0.5 * (batch", "(batch"),
        "value_coef forgotten": ("value_coef * value", "value"),
        "returns in place of advantages": (
            '(batch["returns"] - values).detach()',
            'batch["returns"]',
        ),
        "advantages normalised": (
            '(batch["returns"] - values).detach()',
            'torch.nn.functional.normalize((batch["returns"] - values).detach(), dim=0)',
        ),
        "the entropy summed": (".sum(dim=1).mean()", ".sum()"),
        "the entropy of a mean over actions": (".sum(dim=1).mean()", ".mean()"),
        "Adam": ("torch.optim.SGD", "torch.optim.Adam"),
        "tensors in history": ("policy.item()", "policy"),
        "probabilities in place of their logarithms": ("torch.log_softmax", "torch.softmax"),
        "the coefficients in history": (
            '"value_loss": value.item()',
            '"value_loss": value_coef * value.item()',
        ),
    },
}

EQUIVALENT: dict[str, dict[str, str]] = {
    "layer_init": {
        "1: 0.0 -> -0.0": "-0.0 is 0",
        "9: std -> -std": _SIGN,
    },
    "build_actor_critic": {
        "17: shared -> -shared": "minus True is still not 0",
        "16: 0.01 -> -0.01": _SIGN,
        "16: 1.0 -> -1.0": _SIGN,
        "10: 2 -> -2": _SIGN,
        "12: 2 -> -2": _SIGN,
    },
    "value_loss": {
        "8: values -> -values": "only its shape counts",
        "8: returns -> -returns": "only its shape counts",
        "10: values - returns -> returns - values": _SQUARE,
    },
    "a2c_update": {
        "14: 1 -> -1": _LAST,
        "19: 1 -> -1": _LAST,
        "15: values -> -values": _ROWS,
        "15: values -> log_probs": _ROWS,
        "15: values -> logits": _ROWS,
        "18: batch['returns'] - values -> values - batch['returns']": _SQUARE,
        "21: optimizer -> model": "the optimiser has all parameters of the model",
    },
}

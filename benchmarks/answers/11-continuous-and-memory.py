"""Answers to the exercises of 11-continuous-and-memory: right ones, mistakes, harmless mutants."""

from __future__ import annotations

#: Correct solutions, each written in another way.
VARIANTS: dict[str, dict[str, str]] = {
    "GaussianPolicy": {
        "torch's own distribution": """
            class GaussianPolicy(nn.Module):
                def __init__(self, obs_dim, act_dim):
                    super().__init__()
                    self.log_std = nn.Parameter(torch.zeros(act_dim))
                    self.net = nn.Sequential(
                        nn.Linear(obs_dim, 64), nn.Tanh(), nn.Linear(64, 64), nn.Tanh(),
                        nn.Linear(64, act_dim),
                    )

                def mean(self, obs):
                    return self.net(obs)

                def _distribution(self, obs):
                    mean = self.net(obs)
                    return torch.distributions.Normal(mean, self.log_std.exp().expand_as(mean))

                def log_prob(self, obs, actions):
                    return self._distribution(obs).log_prob(actions).sum(-1)

                def entropy(self, obs):
                    return self._distribution(obs).entropy().sum(-1)
        """,
        "independent components": """
            from torch.distributions import Independent, Normal
            class GaussianPolicy(nn.Module):
                def __init__(self, obs_dim, act_dim):
                    super().__init__()
                    self.first, self.second = nn.Linear(obs_dim, 64), nn.Linear(64, 64)
                    self.head = nn.Linear(64, act_dim)
                    self.log_std = nn.Parameter(torch.zeros(act_dim, dtype=torch.float32))

                def mean(self, obs):
                    return self.head(torch.tanh(self.second(torch.tanh(self.first(obs)))))

                def log_prob(self, obs, actions):
                    mean = self.mean(obs)
                    std = torch.exp(self.log_std)
                    return Independent(Normal(mean, std), 1).log_prob(actions)

                def entropy(self, obs):
                    return Independent(Normal(self.mean(obs), torch.exp(self.log_std)), 1).entropy()
        """,
        "one component at a time": """
            class GaussianPolicy(nn.Module):
                def __init__(self, obs_dim, act_dim):
                    super().__init__()
                    layers, size = [], obs_dim
                    for width in (64, 64):
                        layers += [nn.Linear(size, width), nn.Tanh()]
                        size = width
                    self.mean = nn.Sequential(*layers, nn.Linear(size, act_dim))
                    self.log_std = nn.Parameter(torch.full((act_dim,), 0.0))

                def log_prob(self, obs, actions):
                    mean, total = self.mean(obs), 0.0
                    for j in range(actions.shape[1]):
                        variance = torch.exp(2 * self.log_std[j])
                        squared = (actions[:, j] - mean[:, j]) ** 2
                        total = total - squared / (2 * variance)
                        total = total - 0.5 * torch.log(2 * torch.pi * variance)
                    return total

                def entropy(self, obs):
                    total = torch.zeros(obs.shape[0])
                    for log_std in self.log_std:
                        total = total + log_std + 0.5 * math.log(2 * math.pi * math.e)
                    return total
        """,
        "a multivariate normal": """
            from torch.distributions import MultivariateNormal
            class GaussianPolicy(nn.Module):
                def __init__(self, obs_dim, act_dim):
                    super().__init__()
                    self.body = nn.Sequential(
                        nn.Linear(obs_dim, 64), nn.Tanh(), nn.Linear(64, 64), nn.Tanh()
                    )
                    self.out = nn.Linear(64, act_dim)
                    self.register_parameter("log_std", nn.Parameter(torch.zeros(act_dim)))

                def mean(self, obs):
                    return self.out(self.body(obs))

                def _normal(self, obs):
                    scale = torch.diag(self.log_std.exp())
                    return MultivariateNormal(self.mean(obs), scale_tril=scale)

                def log_prob(self, obs, actions):
                    return self._normal(obs).log_prob(actions)

                def entropy(self, obs):
                    return self._normal(obs).entropy()
        """,
        "constants outside of the sum, orthogonal weights": """
            class GaussianPolicy(nn.Module):
                def __init__(self, obs_dim, act_dim):
                    super().__init__()
                    self.mean = nn.Sequential()
                    sizes = (obs_dim, 64, 64, act_dim)
                    for i in range(3):
                        layer = nn.Linear(sizes[i], sizes[i + 1])
                        nn.init.orthogonal_(layer.weight, 0.01 if i == 2 else 2**0.5)
                        nn.init.zeros_(layer.bias)
                        self.mean.append(layer)
                        if i < 2:
                            self.mean.append(nn.Tanh())
                    self.log_std = nn.Parameter(torch.zeros(act_dim))

                def log_prob(self, obs, actions):
                    z = (actions - self.mean(obs)) * torch.exp(-self.log_std)
                    constant = len(self.log_std) * math.log(2 * math.pi)
                    return -0.5 * ((z * z).sum(1) + constant) - self.log_std.sum()

                def entropy(self, obs):
                    one = 0.5 * len(self.log_std) * (1 + math.log(2 * math.pi))
                    return torch.ones(len(obs)) * (one + self.log_std.sum())
        """,
    },
    "act_clip_store": {
        "torch's own distribution": """
            def act_clip_store(mean, log_std, low, high, noise):
                std = torch.exp(log_std)
                stored = mean + std * noise
                log_prob = torch.distributions.Normal(mean, std).log_prob(stored).sum(-1)
                return torch.clamp(stored, low, high), stored, log_prob
        """,
        "minimum of maximum": """
            def act_clip_store(mean, log_std, low, high, noise):
                sigma = torch.exp(log_std)
                action = torch.addcmul(mean, noise, sigma.expand_as(noise))
                sent = torch.minimum(torch.maximum(action, low), high)
                z = (action - mean) / sigma
                log_prob = -0.5 * (z * z).sum(1) - torch.log(sigma).sum()
                return sent, action, log_prob - 0.5 * mean.shape[1] * math.log(2 * math.pi)
        """,
        "one component at a time": """
            def act_clip_store(mean, log_std, low, high, noise):
                stored, sent = torch.empty_like(mean), torch.empty_like(mean)
                log_prob = torch.zeros_like(mean[:, 0])
                for j in range(mean.shape[1]):
                    sigma = math.exp(log_std[j].item())
                    stored[:, j] = mean[:, j] + sigma * noise[:, j]
                    sent[:, j] = stored[:, j].clamp(low[j].item(), high[j].item())
                    log_prob -= noise[:, j] ** 2 / 2 + math.log(sigma * math.sqrt(2 * math.pi))
                return sent, stored, log_prob
        """,
        "through NumPy": """
            def act_clip_store(mean, log_std, low, high, noise):
                mu, eps = mean.numpy(), noise.numpy()
                sigma = np.exp(log_std.numpy())
                drawn = (mu + sigma * eps).astype(mu.dtype)
                sent = np.clip(drawn, low.numpy(), high.numpy())
                density = np.log(1 / (sigma * np.sqrt(2 * np.pi))) - eps**2 / 2
                log_prob = density.sum(axis=1).astype(mu.dtype)
                return torch.from_numpy(sent), torch.from_numpy(drawn), torch.from_numpy(log_prob)
        """,
        "with where": """
            def act_clip_store(mean, log_std, low, high, noise):
                stored = noise * log_std.exp() + mean
                env_action = torch.where(stored < low, low, stored)
                env_action = torch.where(env_action > high, high, env_action)
                each = -(noise.pow(2) + math.log(2 * math.pi)) / 2 - log_std
                return env_action, stored, torch.einsum("ba->b", each)
        """,
    },
    "RunningNormalizer": {
        "the textbook merge": """
            class RunningNormalizer:
                def __init__(self, shape, clip=10.0, eps=1e-8):
                    self.mean = np.zeros(shape, dtype=np.float64)
                    self.var = np.ones(shape, dtype=np.float64)
                    self.count, self.clip, self.eps = 0, clip, eps

                def update(self, batch):
                    batch = np.asarray(batch, dtype=np.float64)
                    m, n = batch.shape[0], self.count
                    delta = np.mean(batch, axis=0) - self.mean
                    squares = self.var * n + np.var(batch, axis=0) * m + delta**2 * n * m / (n + m)
                    self.mean = self.mean + delta * m / (n + m)
                    self.var = squares / (n + m)
                    self.count = n + m

                def __call__(self, x):
                    normal = (x - self.mean) / (self.var + self.eps) ** 0.5
                    return np.minimum(np.maximum(normal, -self.clip), self.clip)
        """,
        "one observation at a time": """
            class RunningNormalizer:
                def __init__(self, shape, clip=10.0, eps=1e-8):
                    self.mean, self.squares = np.zeros(shape), np.zeros(shape)
                    self.count, self.clip, self.eps = 0, clip, eps

                @property
                def var(self):
                    if self.count == 0:
                        return np.ones(np.shape(self.mean))
                    return self.squares / self.count

                def update(self, batch):
                    for row in batch.astype(np.float64):
                        self.count += 1
                        before = row - self.mean
                        self.mean = self.mean + before / self.count
                        self.squares = self.squares + before * (row - self.mean)

                def __call__(self, x):
                    return np.clip((x - self.mean) / np.sqrt(self.var + self.eps),
                                   -self.clip, self.clip)
        """,
        "everything kept": """
            class RunningNormalizer:
                def __init__(self, shape, clip=10.0, eps=1e-8):
                    self.mean, self.var, self.count = np.zeros(shape), np.ones(shape), 0
                    self.seen, self.clip, self.eps = [], clip, eps

                def update(self, batch):
                    self.seen.append(np.array(batch, dtype=np.float64))
                    everything = np.concatenate(self.seen)
                    self.mean, self.var = everything.mean(axis=0), everything.var(axis=0)
                    self.count = len(everything)

                def __call__(self, x):
                    scale = 1 / np.sqrt(self.var + self.eps)
                    return np.clip((x - self.mean) * scale, -self.clip, self.clip)
        """,
        "sums around the first observation": """
            class RunningNormalizer:
                def __init__(self, shape, clip=10.0, eps=1e-8):
                    self.mean, self.var, self.count = np.zeros(shape), np.ones(shape), 0
                    self.clip, self.eps, self.anchor = clip, eps, None
                    self.first = self.second = 0.0

                def update(self, batch):
                    batch = np.asarray(batch, float)
                    if self.anchor is None:
                        self.anchor = batch[0].copy()
                    moved = batch - self.anchor
                    self.first = self.first + moved.sum(axis=0)
                    self.second = self.second + (moved * moved).sum(axis=0)
                    self.count += len(batch)
                    centre = self.first / self.count
                    self.mean = self.anchor + centre
                    self.var = np.maximum(self.second / self.count - centre * centre, 0.0)

                def __call__(self, x):
                    return np.clip((x - self.mean) / np.sqrt(self.var + self.eps),
                                   a_min=-self.clip, a_max=self.clip)
        """,
        "merged in torch": """
            class RunningNormalizer:
                def __init__(self, shape, clip=10.0, eps=1e-8):
                    self._mean = torch.zeros(shape, dtype=torch.float64)
                    self._var = torch.ones(shape, dtype=torch.float64)
                    self.count, self.clip, self.eps = 0, clip, eps

                mean = property(lambda self: self._mean.numpy())
                var = property(lambda self: self._var.numpy())

                def update(self, batch):
                    new = torch.tensor(batch).double()
                    total = self.count + len(new)
                    old, share = self._mean, len(new) / total
                    self._mean = old + (new.mean(0) - old) * share
                    inside = new.var(0, correction=0) + (new.mean(0) - self._mean) ** 2
                    before = self._var + (old - self._mean) ** 2
                    self._var = before * (1 - share) + inside * share
                    self.count = total

                def __call__(self, x):
                    x = (torch.tensor(x) - self._mean) / torch.sqrt(self._var + self.eps)
                    return x.clamp(-self.clip, self.clip).numpy()
        """,
    },
    "RewardScaler": {
        "all values kept": """
            class RewardScaler:
                def __init__(self, n_envs, gamma, clip=10.0, eps=1e-8):
                    self.total, self.seen = np.zeros(n_envs), []
                    self.gamma, self.clip, self.eps = gamma, clip, eps

                def __call__(self, rewards, dones):
                    self.total = self.total * self.gamma + rewards
                    self.seen.extend(self.total.tolist())
                    scaled = rewards / np.sqrt(np.var(self.seen) + self.eps)
                    self.total = self.total * (1 - dones)
                    return np.clip(scaled, -self.clip, self.clip)
        """,
        "merged batch by batch": """
            class RewardScaler:
                def __init__(self, n_envs, gamma, clip=10.0, eps=1e-8):
                    self.n, self.gamma, self.clip, self.eps = n_envs, gamma, clip, eps
                    self.R, self.count, self.mean, self.var = np.zeros(n_envs), 0, 0.0, 0.0

                def __call__(self, rewards, dones):
                    self.R = self.R * self.gamma + rewards
                    m, n = len(self.R), self.count
                    d = self.R.mean() - self.mean
                    self.var = (n * self.var + m * self.R.var() + d * d * n * m / (n + m)) / (n + m)
                    self.mean += d * m / (n + m)
                    self.count = n + m
                    self.R[np.asarray(dones) > 0] = 0.0
                    out = rewards / (self.var + self.eps) ** 0.5
                    return np.minimum(np.maximum(out, -self.clip), self.clip)
        """,
        "one environment at a time": """
            import statistics
            class RewardScaler:
                def __init__(self, n_envs, gamma, clip=10.0, eps=1e-8):
                    self.running, self.values = [0.0] * n_envs, []
                    self.settings = gamma, clip, eps

                def __call__(self, rewards, dones):
                    gamma, clip, eps = self.settings
                    for n, reward in enumerate(rewards.tolist()):
                        self.running[n] = gamma * self.running[n] + reward
                    self.values += self.running
                    spread = math.sqrt(statistics.pvariance(self.values) + eps)
                    self.running = [0.0 if d else R for d, R in zip(dones.tolist(), self.running)]
                    return np.array([max(-clip, min(clip, r / spread)) for r in rewards.tolist()])
        """,
        "an end remembered until the next step": """
            class RewardScaler:
                def __init__(self, n_envs, gamma, clip=10.0, eps=1e-8):
                    self.returns, self.over = np.zeros(n_envs), np.zeros(n_envs, dtype=bool)
                    self.history = np.zeros((0, n_envs))
                    self.gamma, self.clip, self.eps = gamma, clip, eps

                def __call__(self, rewards, dones):
                    self.returns = np.where(self.over, 0.0, self.gamma * self.returns) + rewards
                    self.over = dones.astype(bool)
                    self.history = np.vstack([self.history, self.returns])
                    std = np.sqrt(self.history.var() + self.eps)
                    return (rewards / std).clip(-self.clip, self.clip)
        """,
        "in torch": """
            class RewardScaler:
                def __init__(self, n_envs, gamma, clip=10.0, eps=1e-8):
                    self.returns = torch.zeros(n_envs, dtype=torch.float64)
                    self.seen = torch.zeros(0, dtype=torch.float64)
                    self.gamma, self.clip, self.eps = gamma, clip, eps

                def __call__(self, rewards, dones):
                    r = torch.tensor(rewards, dtype=torch.float64)
                    self.returns = self.gamma * self.returns + r
                    self.seen = torch.cat([self.seen, self.returns])
                    scaled = r / torch.sqrt(self.seen.var(correction=0) + self.eps)
                    going = 1 - torch.tensor(dones, dtype=torch.float64)
                    self.returns = self.returns * going
                    return torch.clamp(scaled, -self.clip, self.clip).numpy()
        """,
    },
    "RecurrentCore": {
        "by the names of the weights": """
            class RecurrentCore(nn.Module):
                def __init__(self, obs_dim, hidden):
                    super().__init__()
                    self.lstm, self.hidden = nn.LSTM(obs_dim, hidden), hidden
                    for name, value in self.lstm.named_parameters():
                        if "bias" in name:
                            nn.init.constant_(value, 0)
                        elif "weight" in name:
                            nn.init.orthogonal_(value, 1.0)

                def initial_state(self, n_envs):
                    size = (1, n_envs, self.hidden)
                    return (torch.zeros(size), torch.zeros(size))

                def forward(self, x, starts, state):
                    new = []
                    for h, d in zip(x, starts):
                        d = (1.0 - d).view(1, -1, 1)
                        h, state = self.lstm(h.unsqueeze(0), (d * state[0], d * state[1]))
                        new += [h]
                    return torch.cat(new), state
        """,
        "with where": """
            class RecurrentCore(nn.Module):
                def __init__(self, obs_dim, hidden):
                    super().__init__()
                    self.lstm = nn.LSTM(input_size=obs_dim, hidden_size=hidden, num_layers=1)
                    with torch.no_grad():
                        self.lstm.bias_ih_l0.zero_()
                        self.lstm.bias_hh_l0.zero_()
                    nn.init.orthogonal_(self.lstm.weight_ih_l0)
                    nn.init.orthogonal_(self.lstm.weight_hh_l0)

                def initial_state(self, n_envs):
                    return tuple(torch.zeros(2, 1, n_envs, self.lstm.hidden_size))

                def forward(self, x, starts, state):
                    h, c = state
                    rows = []
                    for t in range(x.shape[0]):
                        new = (starts[t] > 0)[None, :, None]
                        h = torch.where(new, torch.zeros_like(h), h)
                        c = torch.where(new, torch.zeros_like(c), c)
                        _, (h, c) = self.lstm(x[t : t + 1], (h, c))
                        rows.append(h[0])
                    return torch.stack(rows), (h, c)
        """,
        "one environment at a time": """
            class RecurrentCore(nn.Module):
                def __init__(self, obs_dim, hidden):
                    super().__init__()
                    self.lstm = nn.LSTM(obs_dim, hidden)
                    for matrix in (self.lstm.weight_ih_l0, self.lstm.weight_hh_l0):
                        nn.init.orthogonal_(matrix)
                    for bias in (self.lstm.bias_ih_l0, self.lstm.bias_hh_l0):
                        nn.init.zeros_(bias)

                def initial_state(self, n_envs):
                    size = (1, n_envs, self.lstm.hidden_size)
                    return torch.zeros(size), torch.zeros(size)

                def forward(self, x, starts, state):
                    outs, hs, cs = [], [], []
                    for n in range(x.shape[1]):
                        h, c = state[0][:, n : n + 1], state[1][:, n : n + 1]
                        out = []
                        for t in range(x.shape[0]):
                            if starts[t, n] > 0.5:
                                h, c = torch.zeros_like(h), torch.zeros_like(c)
                            o, (h, c) = self.lstm(x[t : t + 1, n : n + 1], (h, c))
                            out.append(o)
                        outs.append(torch.cat(out, dim=0))
                        hs.append(h)
                        cs.append(c)
                    return torch.cat(outs, dim=1), (torch.cat(hs, dim=1), torch.cat(cs, dim=1))
        """,
        "pieces between starts": """
            class RecurrentCore(nn.Module):
                def __init__(self, obs_dim, hidden):
                    super().__init__()
                    self.lstm = nn.LSTM(obs_dim, hidden)
                    for p in self.lstm.parameters():
                        nn.init.orthogonal_(p) if p.dim() > 1 else nn.init.zeros_(p)

                def initial_state(self, n_envs):
                    state = torch.zeros(1, n_envs, self.lstm.hidden_size)
                    return [state, state.clone()]

                def forward(self, x, starts, state):
                    cuts = [0] + [t for t in range(1, len(x)) if starts[t].any()] + [len(x)]
                    pieces = []
                    for first, last in zip(cuts, cuts[1:]):
                        going = 1 - starts[first].reshape(1, -1, 1)
                        state = (state[0] * going, state[1] * going)
                        piece, state = self.lstm(x[first:last], state)
                        pieces.append(piece)
                    return torch.cat(pieces, dim=0), state
        """,
        "the gates by hand": """
            class RecurrentCore(nn.Module):
                def __init__(self, obs_dim, hidden):
                    super().__init__()
                    self.lstm = nn.LSTM(obs_dim, hidden)
                    for name in ("weight_ih_l0", "weight_hh_l0"):
                        nn.init.orthogonal_(getattr(self.lstm, name))
                    for name in ("bias_ih_l0", "bias_hh_l0"):
                        nn.init.zeros_(getattr(self.lstm, name))

                def initial_state(self, n_envs):
                    size = self.lstm.hidden_size
                    return torch.zeros([1, n_envs, size]), torch.zeros([1, n_envs, size])

                def forward(self, x, starts, state):
                    (h, c), lstm, out = (state[0][0], state[1][0]), self.lstm, []
                    for t in range(len(x)):
                        mask = 1 - starts[t].unsqueeze(1)
                        h, c = h * mask, c * mask
                        gates = x[t] @ lstm.weight_ih_l0.T + lstm.bias_ih_l0
                        gates = gates + h @ lstm.weight_hh_l0.T + lstm.bias_hh_l0
                        i, f, g, o = gates.chunk(4, dim=1)
                        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
                        h = torch.sigmoid(o) * torch.tanh(c)
                        out.append(h)
                    return torch.stack(out), (h.unsqueeze(0), c.unsqueeze(0))
        """,
    },
    "recurrent_minibatches": {
        "slices of a permutation": """
            def recurrent_minibatches(rng, rollout, envs_per_minibatch):
                n_envs = rollout["starts"].shape[1]
                if n_envs % envs_per_minibatch:
                    raise ValueError("the number of environments must be a multiple")
                order, batches = rng.permutation(n_envs), []
                for first in range(0, n_envs, envs_per_minibatch):
                    envs = order[first : first + envs_per_minibatch]
                    batches.append({name: array[:, envs] for name, array in rollout.items()})
                return batches
        """,
        "shuffled in place, an index": """
            def recurrent_minibatches(rng, rollout, envs_per_minibatch):
                envs = np.arange(rollout["starts"].shape[1])
                parts, rest = divmod(len(envs), envs_per_minibatch)
                if rest > 0:
                    raise ValueError(f"{rest} environments are left over")
                rng.shuffle(envs)
                return [
                    {key: np.take(rollout[key], part, axis=1) for key in rollout}
                    for part in np.split(envs, parts)
                ]
        """,
        "sorted by random numbers": """
            def recurrent_minibatches(rng, rollout, envs_per_minibatch):
                n = rollout["starts"].shape[1]
                assert_fits = n / envs_per_minibatch
                if assert_fits != int(assert_fits):
                    raise ValueError("does not fit")
                order = np.argsort(rng.random(n))
                mixed = {name: array.take(order, axis=1) for name, array in rollout.items()}
                found = []
                for i in range(int(assert_fits)):
                    cut = slice(i * envs_per_minibatch, (i + 1) * envs_per_minibatch)
                    found.append({name: array[:, cut].copy() for name, array in mixed.items()})
                return found
        """,
        "columns one by one": """
            def recurrent_minibatches(rng, rollout, envs_per_minibatch):
                order = [int(n) for n in rng.permutation(rollout["starts"].shape[1])]
                if len(order) % envs_per_minibatch != 0:
                    raise ValueError("environments do not divide")
                batches = []
                while order:
                    envs = [order.pop() for _ in range(envs_per_minibatch)]
                    batch = {}
                    for name, array in rollout.items():
                        batch[name] = np.stack([array[:, n] for n in envs], axis=1)
                    batches.append(batch)
                return batches
        """,
        "a choice without replacement": """
            def recurrent_minibatches(rng, rollout, envs_per_minibatch):
                n_envs = rollout["starts"].shape[1]
                envs = rng.choice(n_envs, size=n_envs, replace=False)
                if envs.size % envs_per_minibatch:
                    raise ValueError("choose another size")
                groups = envs.reshape(n_envs // envs_per_minibatch, envs_per_minibatch)
                make = lambda group: dict((k, v.swapaxes(0, 1)[group].swapaxes(0, 1))
                                          for k, v in rollout.items())
                return list(map(make, groups))
        """,
    },
}

#: Mistakes that learners make: the text in the solution, and what stands there instead.
MISTAKES: dict[str, dict[str, tuple[str, str]]] = {
    "GaussianPolicy": {
        "not added": (".sum(dim=1)", ""),
        "the mean over the components": (".sum(dim=1)", ".mean(dim=1)"),
        "no parameter": ("nn.Parameter(torch.zeros(act_dim))", "torch.zeros(act_dim)"),
        "sigma instead of its logarithm": ("/ self.log_std.exp()", "/ (1 + self.log_std)"),
        "log sigma forgotten": ("z**2 - self.log_std", "z**2"),
        "the constant forgotten": (" - 0.5 * math.log(2 * math.pi)).sum(dim=1)", ").sum(dim=1)"),
        "one log sigma for all components": ("torch.zeros(act_dim)", "torch.zeros(1)"),
        "entropy of one component": ("self.log_std).sum()", "self.log_std).mean()"),
        "entropy as one number": (".expand(len(obs))", ""),
        "a detached policy": ("self.log_std).sum()", "self.log_std.detach()).sum()"),
        "log sigma starts at -1": ("torch.zeros(act_dim)", "-torch.ones(act_dim)"),
    },
    "act_clip_store": {
        "the clipped action is stored": (
            "stored.clamp(low, high), stored,",
            "stored.clamp(low, high), stored.clamp(low, high),",
        ),
        "nothing is clipped": ("stored.clamp(low, high), stored,", "stored, stored,"),
        "clipped before everything": (
            "mean + log_std.exp() * noise",
            "(mean + log_std.exp() * noise).clamp(low, high)",
        ),
        "log sigma taken for sigma": ("log_std.exp() * noise", "log_std * noise"),
        "not added": (".sum(dim=1)", ""),
        "the mean over the components": (".sum(dim=1)", ".mean(dim=1)"),
        "the order of the results": (
            "return stored.clamp(low, high), stored,",
            "return stored, stored.clamp(low, high),",
        ),
        "squashed": ("stored.clamp(low, high)", "low + (high - low) * torch.sigmoid(stored)"),
        "the bounds of the first component": ("clamp(low, high)", "clamp(low[0], high[0])"),
    },
    "RunningNormalizer": {
        "the distance forgotten": (" + share * (1 - share) * distance**2", ""),
        "only the last batch": ("inside + share * (1 - share) * distance**2", "batch.var(axis=0)"),
        "divided by n - 1": ("batch.var(axis=0)", "batch.var(axis=0, ddof=1)"),
        "divided by the variance": ("np.sqrt(self.var + self.eps)", "(self.var + self.eps)"),
        "batches counted": ("self.count += len(batch)", "self.count += 1"),
        "mean of the means": ("self.mean + share * distance", "self.mean + 0.5 * distance"),
        "not clipped": ("np.clip(scaled, -self.clip, self.clip)", "scaled"),
        "clipped at one end": (
            "np.clip(scaled, -self.clip, self.clip)",
            "np.minimum(scaled, self.clip)",
        ),
        "one mean for all features": ("batch.mean(axis=0)", "batch.mean()"),
        "statistics in float32": ("np.float64", "np.float32"),
        "updates when it is used": (
            "        scaled = (x - self.mean)",
            "        self.update(np.reshape(x, (-1, *np.shape(self.mean))))\n"
            "        scaled = (x - self.mean)",
        ),
    },
    "RewardScaler": {
        "the mean is subtracted": ("scaled = rewards /", "scaled = (rewards - self.mean) /"),
        "an end is ignored": ("np.where(dones, 0.0, self.returns)", "self.returns"),
        "turned around": (
            "np.where(dones, 0.0, self.returns)",
            "np.where(dones, self.returns, 0.0)",
        ),
        "the spread of the rewards": ("for value in self.returns:", "for value in rewards:"),
        "no discount": ("self.gamma * self.returns + rewards", "self.returns + rewards"),
        "the return is scaled": ("scaled = rewards /", "scaled = self.returns /"),
        "divided by the variance": (
            "np.sqrt(self.squares / self.count + self.eps)",
            "(self.squares / self.count + self.eps)",
        ),
        "not clipped": ("np.clip(scaled, -self.clip, self.clip)", "scaled"),
        "all end with the first": ("np.where(dones,", "np.where(np.any(dones),"),
        "divided by n - 1": (
            "self.squares / self.count",
            "self.squares / max(self.count - 1, 1)",
        ),
        "forgotten one step too early": (
            "self.returns = self.gamma * self.returns + rewards",
            "self.returns = self.gamma * self.returns * (1 - dones) + rewards",
        ),
    },
    "RecurrentCore": {
        "never forgets": ("(1 - start)[:, None] * part", "part"),
        "remembers only at starts": ("(1 - start)", "start"),
        "the cell is kept": (
            "[(1 - start)[:, None] * part for part in state]",
            "[(1 - start)[:, None] * state[0], state[1]]",
        ),
        "the state is not handed on": ("output, state = self.lstm", "output, _ = self.lstm"),
        "all environments forget": ("(1 - start)[:, None]", "(1 - start.max())"),
        "default weights": ("nn.init.orthogonal_(parameter)", "pass"),
        "default biases": ("nn.init.zeros_(parameter)", "pass"),
        "gain of the hidden layers": ("orthogonal_(parameter)", "orthogonal_(parameter, 2**0.5)"),
        "a random start": ("torch.zeros(1,", "torch.randn(1,"),
        "forgets after the step": (
            "            kept = [(1 - start)[:, None] * part for part in state]\n"
            "            output, state = self.lstm(now[None], kept)\n",
            "            output, state = self.lstm(now[None], state)\n"
            "            state = [(1 - start)[:, None] * part for part in state]\n",
        ),
        "the whole rollout at once": (
            "        return torch.cat(outputs), state",
            "        return self.lstm(x, state)",
        ),
    },
    "recurrent_minibatches": {
        "steps are shuffled": ("array[:, envs]", "array[rng.permutation(len(array))][:, envs]"),
        "states start at zero": (
            "array[:, envs] for",
            "array[:, envs] * (0 if name in ('h0', 'c0') else 1) for",
        ),
        "states of the first environments": (
            "array[:, envs] for",
            "(array[:, : len(envs)] if len(array) == 1 else array[:, envs]) for",
        ),
        "each array with its own order": (
            "array[:, envs] for",
            "array[:, rng.permutation(array.shape[1])[: len(envs)]] for",
        ),
        "not shuffled": (
            'rng.permutation(rollout["starts"].shape[1])',
            'np.arange(rollout["starts"].shape[1])',
        ),
        "with replacement": (
            'rng.permutation(rollout["starts"].shape[1])',
            'rng.integers(0, rollout["starts"].shape[1], rollout["starts"].shape[1])',
        ),
        "NumPy's own generator": ("rng.permutation", "np.random.permutation"),
        "rows instead of columns": ("array[:, envs]", "array[envs % len(array)]"),
        "the rest is dropped": (
            "order.reshape(",
            "order[: len(order) // envs_per_minibatch * envs_per_minibatch].reshape(",
        ),
        "only neighbours": (
            "    return [",
            "    order = np.arange(order.size).reshape(order.shape)\n"
            "    order = rng.permutation(order)\n    return [",
        ),
    },
}

_EVEN = "it is squared"
_SIZE = "only its length is used"
_LAST = "the last of two axes"
_CLIPPED = "the middle one of three numbers, either way"
_ZERO = "the same number"
_ORDER = "negative numbers count from the end, so these are other random orders"

#: Mutants that are right answers too: the change, as the table prints it, and why.
EQUIVALENT: dict[str, dict[str, str]] = {
    "GaussianPolicy": {
        "12: actions - self.mean(obs) -> self.mean(obs) - actions": _EVEN,
        "13: 1 -> -1": _LAST,
        "16: obs -> -obs": _SIZE,
        "13: z -> -z": _EVEN,
    },
    "act_clip_store": {"5: 1 -> -1": _LAST, "5: noise -> -noise": _EVEN},
    "RunningNormalizer": {
        "19: np.clip(scaled, -self.clip, self.clip)"
        " -> np.clip(-self.clip, scaled, self.clip)": _CLIPPED,
        "5: 0 -> 0.0": _ZERO,
        "10: batch -> -batch": _SIZE,
        "12: batch -> -batch": "minus the data has the same variance",
        "13: distance -> -distance": _EVEN,
        "15: batch -> -batch": _SIZE,
    },
    "RewardScaler": {
        "6: 0.0 -> -0.0": _ZERO,
        "9: self.gamma * self.returns + rewards -> self.gamma * self.returns - rewards": (
            "minus the returns have the same variance"
        ),
        "9: rewards -> -rewards": "minus the returns have the same variance",
        "16: 0.0 -> -0.0": _ZERO,
        "17: np.clip(scaled, -self.clip, self.clip)"
        " -> np.clip(-self.clip, scaled, self.clip)": _CLIPPED,
    },
    "RecurrentCore": {
        "8: parameter -> -parameter": "only its number of dimensions is used",
        "15: (zeros, zeros.clone()) -> (zeros.clone(), zeros)": "both are zeros",
        "15: zeros -> -zeros": _ZERO,
        "15: zeros.clone() -> zeros": "nothing is written into the state",
    },
    "recurrent_minibatches": {
        "4: 1 -> -1": "the array of starts has two axes",
        "5: order -> -order": _ORDER,
        "5: 1 -> 2": "NumPy takes -2 for the unknown size as well",
        "6: order -> -order": _ORDER,
        "6: envs -> -envs": _ORDER,
    },
}

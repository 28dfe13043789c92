"""Answers to the exercises of 09-details: right ones, mistakes of learners, harmless mutants."""

from __future__ import annotations

#: Correct solutions, each written in another way.
VARIANTS: dict[str, dict[str, str]] = {
    "start_episode": {
        "no-ops first, then fire": """
            def start_episode(env, rng, noop_max, fire):
                obs, _ = env.reset()
                for _ in range(int(rng.integers(1, noop_max + 1))):
                    obs, _, terminated, truncated, _ = env.step(0)
                    if terminated or truncated:
                        obs, _ = env.reset()
                if fire:
                    obs, _, terminated, truncated, _ = env.step(1)
                    if terminated or truncated:
                        obs, _ = env.reset()
                return obs
        """,
        "drawn as a choice": """
            def start_episode(env, rng, noop_max, fire):
                obs = env.reset()[0]
                left = rng.choice(np.arange(1, noop_max + 1))
                while left > 0:
                    obs, reward, end, cut, info = env.step(0)
                    obs = env.reset()[0] if end or cut else obs
                    left -= 1
                if not fire:
                    return obs
                obs, reward, end, cut, info = env.step(1)
                return env.reset()[0] if end or cut else obs
        """,
        "the end point included": """
            def start_episode(env, rng, noop_max, fire):
                noops = rng.integers(1, noop_max, endpoint=True)
                plan = np.zeros(noops + (1 if fire else 0), dtype=int)
                if fire:
                    plan[-1] = 1
                obs = env.reset()[0]
                for action in plan:
                    result = env.step(int(action))
                    obs = result[0]
                    if any(result[2:4]):
                        obs = env.reset()[0]
                return obs
        """,
        "from one uniform number": """
            def start_episode(env, rng, noop_max, fire):
                count = 1 + int(rng.random() * noop_max)
                def press(button):
                    obs, _, over, cut, _ = env.step(button)
                    if over | cut:
                        obs, _ = env.reset()
                    return obs
                obs, _ = env.reset()
                for _ in range(count):
                    obs = press(0)
                return press(1) if fire else obs
        """,
        "a permutation's first": """
            def start_episode(env, rng, noop_max, fire):
                actions = [0] * (int(rng.permutation(noop_max)[0]) + 1)
                if fire:
                    actions.append(1)
                obs, info = env.reset()
                while actions:
                    obs, reward, terminated, truncated, info = env.step(actions.pop(0))
                    if terminated or truncated:
                        obs, info = env.reset()
                return obs
        """,
    },
    "skip_step": {
        "the frame before in a variable": """
            def skip_step(env, action, skip):
                before, score = None, 0.0
                for _ in range(skip):
                    frame, reward, terminated, truncated, info = env.step(action)
                    score += reward
                    merged = frame if before is None else np.maximum(before, frame)
                    before = frame
                    if terminated or truncated:
                        break
                return merged, np.sign(score), score, terminated, truncated
        """,
        "a while loop": """
            def skip_step(env, action, skip):
                frames, score, over = [], 0, False
                while len(frames) < skip and not over:
                    frame, reward, terminated, truncated, _ = env.step(action)
                    frames = frames + [frame]
                    score = score + reward
                    over = terminated or truncated
                last = frames[-1]
                if len(frames) > 1:
                    last = np.where(frames[-2] > last, frames[-2], last)
                return last, (score > 0) - (score < 0), score, terminated, truncated
        """,
        "a buffer of two, filled twice at first": """
            def skip_step(env, action, skip):
                buffer, rewards = None, []
                for step in range(skip):
                    frame, reward, terminated, truncated, _ = env.step(action)
                    buffer = [frame, frame] if buffer is None else [buffer[1], frame]
                    rewards.append(reward)
                    if terminated or truncated:
                        break
                score = float(np.sum(rewards))
                frame = np.stack(buffer).max(axis=0)
                return frame, float(np.sign(score)), score, terminated, truncated
        """,
        "all results kept": """
            def skip_step(env, action, skip):
                results = []
                while not results or (len(results) < skip and not any(results[-1][2:4])):
                    results.append(env.step(action))
                score = sum(result[1] for result in results)
                frame = results[-1][0].copy()
                for result in results[-2:-1]:
                    np.maximum(frame, result[0], out=frame)
                sign = 1 if score > 0 else -1 if score < 0 else 0
                return frame, sign, score, results[-1][2], results[-1][3]
        """,
        "a deque": """
            from collections import deque
            def skip_step(env, action, skip):
                last, score = deque(maxlen=2), 0.0
                for _ in range(skip):
                    frame, reward, terminated, truncated, _ = env.step(action)
                    last.append(np.array(frame))
                    score += float(reward)
                    if terminated:
                        break
                    if truncated:
                        break
                out = last.popleft()
                if last:
                    out = np.maximum(out, last.popleft())
                return out, np.sign(score), score, bool(terminated), bool(truncated)
        """,
    },
    "EpisodicLife": {
        "early returns": """
            class EpisodicLife:
                def __init__(self, env):
                    self.env = env
                    self.over = True
                    self.lives = 0

                def _fresh(self):
                    obs, info = self.env.reset()
                    self.over, self.lives = False, info["lives"]
                    return obs, info

                def reset(self):
                    if self.over:
                        return self._fresh()
                    obs, _, terminated, truncated, info = self.env.step(0)
                    if terminated or truncated:
                        return self._fresh()
                    self.lives = info["lives"]
                    return obs, info

                def step(self, action):
                    obs, reward, terminated, truncated, info = self.env.step(action)
                    self.over = terminated or truncated
                    if 0 < info["lives"] < self.lives:
                        terminated = True
                    self.lives = info["lives"]
                    return obs, reward, terminated, truncated, info
        """,
        "a private environment and a state": """
            class EpisodicLife:
                def __init__(self, env):
                    self._env, self._state = env, None

                def reset(self):
                    info = None
                    if self._state is not None:
                        obs, _, end, cut, info = self._env.step(0)
                        if end or cut:
                            info = None
                    if info is None:
                        obs, info = self._env.reset()
                    self._state = info["lives"]
                    return obs, info

                def step(self, action):
                    before = self._state
                    obs, reward, end, cut, info = self._env.step(action)
                    now = info["lives"]
                    self._state = None if end or cut else now
                    return obs, reward, end or (now < before and now > 0), cut, info
        """,
        "the last result kept": """
            class EpisodicLife:
                def __init__(self, env):
                    self.env, self.last, self.lives = env, None, 0

                def reset(self):
                    if self.last is not None and not any(self.last[2:4]):
                        self.last = self.env.step(0)
                    if self.last is None or any(self.last[2:4]):
                        obs, info = self.env.reset()
                        self.last = (obs, 0.0, False, False, info)
                    self.lives = self.last[4]["lives"]
                    return self.last[0], self.last[4]

                def step(self, action):
                    self.last = self.env.step(action)
                    obs, reward, terminated, truncated, info = self.last
                    lost = info["lives"] < self.lives and info["lives"] != 0
                    self.lives = info["lives"]
                    return obs, reward, bool(terminated or lost), bool(truncated), info
        """,
        "lives in a list": """
            class EpisodicLife:
                def __init__(self, env):
                    self.env = env
                    self.history = []

                def reset(self):
                    start = True
                    if self.history:
                        obs, _, terminated, truncated, info = self.env.step(0)
                        start = terminated or truncated
                    if start:
                        obs, info = self.env.reset()
                    self.history = [info["lives"]]
                    return obs, info

                def step(self, action):
                    obs, reward, terminated, truncated, info = self.env.step(action)
                    self.history.append(info["lives"])
                    lost = self.history[-2] > self.history[-1] > 0
                    if terminated or truncated:
                        self.history = []
                        self.history_over = True
                    return obs, reward, terminated or lost, truncated, info
        """,
        "as a function that closes over its state": """
            def EpisodicLife(env):
                state = {"over": True, "lives": 0}

                class Wrapper:
                    def reset(self):
                        info = None
                        if not state["over"]:
                            obs, _, terminated, truncated, info = env.step(0)
                            state["over"] = terminated or truncated
                        if state["over"]:
                            obs, info = env.reset()
                        state.update(lives=info["lives"], over=False)
                        return obs, info

                    def step(self, action):
                        obs, reward, terminated, truncated, info = env.step(action)
                        lost = info["lives"] in range(1, state["lives"])
                        state.update(lives=info["lives"], over=terminated or truncated)
                        return obs, reward, terminated or lost, truncated, info

                return Wrapper()
        """,
    },
    "preprocess": {
        "the first repeated in front": """
            def preprocess(frames):
                last = np.asarray(frames[-4:], dtype=np.float32)
                gray = last @ np.array([0.299, 0.587, 0.114], dtype=np.float32)
                rows, columns = area_weights(gray.shape[1], 84), area_weights(gray.shape[2], 84)
                small = rows @ gray @ columns.T
                missing = np.repeat(small[:1], 4 - len(small), axis=0)
                return (np.concatenate([missing, small]) / 255).astype(np.float32)
        """,
        "one frame at a time": """
            def preprocess(frames):
                pictures = []
                for frame in list(frames)[-4:]:
                    red, green, blue = (frame[..., i].astype(float) / 255 for i in range(3))
                    gray = 0.299 * red + 0.587 * green + 0.114 * blue
                    height, width = gray.shape
                    half = area_weights(height, 84).dot(gray)
                    pictures.append(half.dot(area_weights(width, 84).T))
                while len(pictures) < 4:
                    pictures.insert(0, pictures[0])
                return np.array(pictures, dtype=np.float32)
        """,
        "one einsum": """
            def preprocess(frames):
                chosen = np.stack([frames[max(i, 0)] for i in range(len(frames) - 4, len(frames))])
                rows = area_weights(chosen.shape[1], 84)
                columns = area_weights(chosen.shape[2], 84)
                luma = np.array([0.299, 0.587, 0.114]) / 255
                out = np.einsum("thwc,c->thw", chosen, luma)
                out = np.einsum("ih,thw->tiw", rows, out)
                return np.einsum("jw,tiw->tij", columns, out).astype("float32")
        """,
        "a deque, as wrappers have it": """
            from collections import deque
            def preprocess(frames):
                stack = deque([frames[0]] * 4, maxlen=4)
                for frame in frames[1:]:
                    stack.append(frame)
                out = np.zeros((4, 84, 84), dtype=np.float32)
                for i, frame in enumerate(stack):
                    gray = np.dot(frame / 255.0, [0.299, 0.587, 0.114])
                    height, width = gray.shape
                    out[i] = area_weights(height, 84) @ (gray @ area_weights(width, 84).T)
                return out
        """,
        "shrunk before it is gray, in torch": """
            def preprocess(frames):
                last = torch.tensor(np.array(frames[-4:]), dtype=torch.float64).permute(0, 3, 1, 2)
                rows = torch.tensor(area_weights(last.shape[2], 84))
                columns = torch.tensor(area_weights(last.shape[3], 84))
                small = torch.matmul(torch.matmul(rows, last), columns.T)
                gray = 0.299 * small[:, 0] + 0.587 * small[:, 1] + 0.114 * small[:, 2]
                first = gray[:1].expand(4 - len(gray), 84, 84)
                return torch.cat([first, gray]).div(255).float().numpy()
        """,
    },
    "nature_cnn": {
        "layers one by one": """
            from torch.nn import functional
            def nature_cnn(n_actions):
                class Net(nn.Module):
                    def __init__(self):
                        super().__init__()
                        self.conv1 = nn.Conv2d(4, 32, kernel_size=8, stride=4)
                        self.conv2 = nn.Conv2d(32, 64, kernel_size=4, stride=2)
                        self.conv3 = nn.Conv2d(64, 64, kernel_size=3, stride=1)
                        self.fc = nn.Linear(3136, 512)
                        self.actor = nn.Linear(512, n_actions)
                        self.critic = nn.Linear(512, 1)

                    def forward(self, x):
                        x = functional.relu(self.conv1(x))
                        x = functional.relu(self.conv2(x))
                        x = functional.relu(self.conv3(x))
                        x = functional.relu(self.fc(x.flatten(1)))
                        return self.actor(x), self.critic(x)[:, 0]
                return Net()
        """,
        "heads first": """
            def nature_cnn(n_actions):
                class Heads(nn.Module):
                    def __init__(self, body):
                        super().__init__()
                        self.critic, self.actor = nn.Linear(512, 1), nn.Linear(512, n_actions)
                        self.body = body

                    def forward(self, x):
                        h = self.body(x)
                        return self.actor(h), self.critic(h).reshape(-1)
                return Heads(nn.Sequential(
                    nn.Sequential(nn.Conv2d(4, 32, (8, 8), (4, 4)), nn.ReLU()),
                    nn.Sequential(nn.Conv2d(32, 64, (4, 4), (2, 2)), nn.ReLU()),
                    nn.Sequential(nn.Conv2d(64, 64, (3, 3)), nn.ReLU()),
                    nn.Flatten(), nn.Linear(64 * 49, 512), nn.ReLU(),
                ))
        """,
        "sizes measured, orthogonal weights": """
            def nature_cnn(n_actions):
                convolutions = nn.Sequential(
                    nn.Conv2d(4, 32, 8, stride=4), nn.ReLU(), nn.Conv2d(32, 64, 4, stride=2),
                    nn.ReLU(), nn.Conv2d(64, 64, 3, stride=1), nn.ReLU(), nn.Flatten(),
                )
                with torch.no_grad():
                    size = convolutions(torch.zeros(1, 4, 84, 84)).shape[1]
                for layer in convolutions:
                    if isinstance(layer, nn.Conv2d):
                        nn.init.orthogonal_(layer.weight, 2 ** 0.5)
                        nn.init.zeros_(layer.bias)

                class Model(nn.Module):
                    def __init__(self):
                        super().__init__()
                        self.features = convolutions
                        self.hidden = nn.Linear(size, 512)
                        self.heads = nn.ModuleList([nn.Linear(512, n_actions), nn.Linear(512, 1)])

                    def forward(self, x):
                        h = torch.relu(self.hidden(self.features(x)))
                        logits, value = (head(h) for head in self.heads)
                        return logits, value.squeeze(-1)
                return Model()
        """,
        "a module dictionary": """
            def nature_cnn(n_actions):
                class Net(nn.Module):
                    def __init__(self):
                        nn.Module.__init__(self)
                        self.layers = nn.ModuleDict({
                            "a": nn.Conv2d(4, 32, 8, 4), "b": nn.Conv2d(32, 64, 4, 2),
                            "c": nn.Conv2d(64, 64, 3), "d": nn.Linear(3136, 512),
                            "logits": nn.Linear(512, n_actions), "value": nn.Linear(512, 1),
                        })

                    def forward(self, x):
                        for name in "abc":
                            x = self.layers[name](x).clamp(min=0)
                        x = self.layers["d"](torch.flatten(x, 1)).clamp_min(0)
                        return self.layers["logits"](x), self.layers["value"](x).view(len(x))
                return Net()
        """,
        "parameters used by hand": """
            from torch.nn import functional as F
            def nature_cnn(n_actions):
                class Layer(nn.Module):
                    def __init__(self, *shape):
                        super().__init__()
                        bound = 1 / np.sqrt(np.prod(shape[1:]))
                        self.weight = nn.Parameter(torch.empty(*shape).uniform_(-bound, bound))
                        self.bias = nn.Parameter(torch.zeros(shape[0]))

                class Net(nn.Module):
                    def __init__(self):
                        super().__init__()
                        self.c1, self.c2 = Layer(32, 4, 8, 8), Layer(64, 32, 4, 4)
                        self.c3, self.fc = Layer(64, 64, 3, 3), Layer(512, 3136)
                        self.pi, self.v = Layer(n_actions, 512), Layer(1, 512)

                    def forward(self, x):
                        for layer, stride in ((self.c1, 4), (self.c2, 2), (self.c3, 1)):
                            x = torch.relu(F.conv2d(x, layer.weight, layer.bias, stride))
                        x = x.reshape(x.shape[0], -1)
                        x = torch.relu(F.linear(x, self.fc.weight, self.fc.bias))
                        values = x @ self.v.weight[0] + self.v.bias
                        return F.linear(x, self.pi.weight, self.pi.bias), values
                return Net()
        """,
    },
    "iqm_interval": {
        "rows at once": """
            def iqm_interval(scores, picks, level):
                if np.isnan(scores).any():
                    return (float("nan"),) * 3
                cut = len(scores) // 4
                rows = np.sort(np.vstack([scores, scores[picks]]), axis=1)
                means = rows[:, cut : len(scores) - cut].mean(axis=1)
                tail = 50 * (1 - level)
                low, high = np.percentile(means[1:], [tail, 100 - tail])
                return means[0], low, high
        """,
        "plain Python": """
            def iqm_interval(scores, picks, level):
                values = [float(score) for score in scores]
                if any(value != value for value in values):
                    return math.nan, math.nan, math.nan
                def iqm(items):
                    items = sorted(items)
                    for _ in range(len(items) // 4):
                        items = items[1:-1]
                    return sum(items) / len(items)
                def quantile(items, share):
                    place = share * (len(items) - 1)
                    below = int(math.floor(place))
                    above = min(below + 1, len(items) - 1)
                    return items[below] * (1 - place + below) + items[above] * (place - below)
                means = sorted(iqm([values[i] for i in row]) for row in picks.tolist())
                low, high = (quantile(means, (1 + sign * level) / 2) for sign in (-1, 1))
                return iqm(values), low, high
            import math
        """,
        "each score with a weight": """
            def iqm_interval(scores, picks, level):
                if np.isnan(scores).any():
                    return np.nan, np.nan, np.nan
                place = np.arange(len(scores))
                inside = (place >= len(scores) // 4) & (place[::-1] >= len(scores) // 4)
                means = np.sort(scores[picks]) @ (inside / inside.sum())
                low = np.quantile(means, (1 - level) / 2)
                high = np.quantile(means, 1 - (1 - level) / 2)
                return float(np.average(np.sort(scores), weights=inside)), float(low), float(high)
        """,
        "in torch": """
            import torch
            def iqm_interval(scores, picks, level):
                s = torch.tensor(scores, dtype=torch.float64)
                if bool(torch.isnan(s).any()):
                    return float("nan"), float("nan"), float("nan")
                cut = len(s) // 4
                keep = slice(cut, len(s) - cut)
                iqm = s.sort().values[keep].mean().item()
                means = s[torch.tensor(picks)].sort(dim=1).values[:, keep].mean(dim=1)
                low = torch.quantile(means, (1 - level) / 2).item()
                return iqm, low, torch.quantile(means, (1 + level) / 2).item()
        """,
        "partitioned, NaN carried along": """
            def iqm_interval(scores, picks, level):
                n = len(scores)
                def iqm(row):
                    cut = n // 4
                    ordered = np.partition(row, [cut, n - cut - 1])
                    return np.mean(ordered[cut : n - cut])
                means = np.array([iqm(scores.take(row)) for row in picks])
                tail = (1 - level) / 2
                low, high = np.quantile(means, tail), np.quantile(means, 1 - tail)
                return tuple(np.array([iqm(scores), low, high]) + 0 * scores.sum())
        """,
    },
}

#: Mistakes that learners make: the text in the solution, and what stands there instead.
MISTAKES: dict[str, dict[str, tuple[str, str]]] = {
    "start_episode": {
        "noop_max left out": ("noop_max + 1", "noop_max"),
        "no no-op possible": ("rng.integers(1,", "rng.integers(0,"),
        "always the same number": ("rng.integers(1, noop_max + 1)", "noop_max"),
        "NumPy's own generator": ("rng.integers(1,", "np.random.randint(1,"),
        "a time limit overlooked": ("terminated or truncated", "terminated"),
        "always FIRE": ("[1] * fire", "[1]"),
        "the first observation": ("observation, _, terminated", "_, _, terminated"),
        "no reset at an end": ("            observation, _ = env.reset()", "            pass"),
        "stops at an end": (
            "            observation, _ = env.reset()",
            "            return env.reset()[0]",
        ),
    },
    "skip_step": {
        "the last frame only": ("frames[-2:]", "frames[-1:]"),
        "all four frames": ("frames[-2:]", "frames"),
        "each reward clipped": ("rewards.append(reward)", "rewards.append(np.sign(reward))"),
        "the score is clipped, too": ("np.sign(score), score,", "np.sign(score), np.sign(score),"),
        "the reward is not clipped": ("np.sign(score), score,", "score, score,"),
        "clipped to the range": ("np.sign(score), score,", "np.clip(score, -1, 1), score,"),
        "a time limit overlooked": ("terminated or truncated", "terminated"),
        "goes on after the end": ("            break", "            pass"),
        "the mean frame": ("np.max(frames", "np.mean(frames"),
    },
    "EpisodicLife": {
        "a real reset at each life": ("if not self.is_over:", "if False:"),
        "never a real reset again": (
            "self.is_over = terminated or truncated",
            "self.is_over = False",
        ),
        "the flag of the learner decides": (
            "self.is_over = terminated or truncated\n        is_lost = 0 <",
            "self.is_over = terminated or truncated or info['lives'] < self.lives\n"
            "        is_lost = 0 <",
        ),
        "0 lives are a lost life": ("0 < info", "0 <= info"),
        "a new life is a lost one": (
            '0 < info["lives"] < self.lives',
            'info["lives"] != self.lives',
        ),
        "lives are not remembered in step": (
            '        self.lives = info["lives"]\n        return observation, reward',
            "        return observation, reward",
        ),
        "lives are not remembered in reset": (
            '        self.lives = info["lives"]\n        return observation, info',
            "        return observation, info",
        ),
        "reported as truncated": (
            "terminated or is_lost, truncated,",
            "terminated, truncated or is_lost,",
        ),
        "a time limit overlooked": ("terminated or truncated", "terminated"),
        "the no-op may end the game": ("        if self.is_over:\n", "        else:\n"),
    },
    "preprocess": {
        "newest first": ("(4, 3, 2, 1)", "(1, 2, 3, 4)"),
        "the first four": ("len(frames) - back", "4 - back"),
        "wraps around": ("max(0, len(frames) - back)", "(len(frames) - back) % len(frames)"),
        "blue first": ("[0.299, 0.587, 0.114]", "[0.114, 0.587, 0.299]"),
        "plain mean of the colours": ("[0.299, 0.587, 0.114]", "[1 / 3, 1 / 3, 1 / 3]"),
        "not divided": ("small / 255", "small"),
        "divided by 256": ("small / 255", "small / 256"),
        "rounded": ("small / 255", "np.round(small) / 255"),
        "whole numbers": ("(small / 255)", "small.astype(np.uint8) / 255"),
        "every other pixel": (
            "area_weights(height, 84) @ gray @ area_weights(width, 84).T",
            "gray[:, np.arange(84) * height // 84][:, :, np.arange(84) * width // 84]",
        ),
        "float64": (".astype(np.float32)", ""),
        "sides swapped": ("area_weights(height, 84) @", "area_weights(width, 84) @"),
    },
    "nature_cnn": {
        "values (B, 1)": (".squeeze(1)", ""),
        "a wrong stride": ("nn.Conv2d(32, 64, 4, 2)", "nn.Conv2d(32, 64, 4, 2, 1)"),
        "no ReLU after the wide layer": (
            "                nn.ReLU(),\n            )",
            "            )",
        ),
        "softmax": ("self.policy(seen),", "self.policy(seen).softmax(1),"),
        "tanh": (
            "nn.Linear(64 * 7 * 7, 512),\n                nn.ReLU()",
            "nn.Linear(64 * 7 * 7, 512),\n                nn.Tanh()",
        ),
        "divided again": ("self.trunk(frames)", "self.trunk(frames / 255)"),
        "a narrow layer": ("512", "256"),
        "the value of the best action": (
            "self.value(seen)",
            "self.policy(seen).max(1, keepdim=True).values",
        ),
        "no bias": ("nn.Linear(512, 1)", "nn.Linear(512, 1, bias=False)"),
    },
    "iqm_interval": {
        "not sorted": ("np.sort(numbers)", "numbers"),
        "the plain mean": ("[size // 4 : size - size // 4]", ""),
        "the median": (
            "np.sort(numbers)[size // 4 : size - size // 4].mean()",
            "np.median(numbers)",
        ),
        "cut at one end": ("[size // 4 : size - size // 4]", "[size // 4 :]"),
        "cut rounded up": (
            "[size // 4 : size - size // 4]",
            "[(size + 3) // 4 : size - size // 4]",
        ),
        "NaN is cut off": ("np.isnan(scores).any()", "False"),
        "one-sided": ("[(1 - level) / 2, (1 + level) / 2]", "[1 - level, level]"),
        "the mean of the resamples": ("return iqm(scores), low", "return (low + high) / 2, low"),
        "sorted in place": (
            "np.sort(numbers)[",
            "(numbers.sort(), numbers)[1][",
        ),
        "a standard error": (
            "    return iqm(scores), low, high",
            "    error = 1.96 * np.std(scores) / size**0.5\n"
            "    return iqm(scores), iqm(scores) - error, iqm(scores) + error",
        ),
    },
}

_EACH = "ReLU works on each number alone, before or after flattening"
_TRUTH = "-False is 0 and -True is -1, as false and as true in a condition"

#: Mutants that are right answers too: the change, as the table prints it, and why.
EQUIVALENT: dict[str, dict[str, str]] = {
    "start_episode": {
        "7: terminated -> -terminated": _TRUTH,
        "7: truncated -> -truncated": _TRUTH,
    },
    "skip_step": {
        "9: terminated -> -terminated": _TRUTH,
        "9: truncated -> -truncated": _TRUTH,
    },
    "EpisodicLife": {
        "17: terminated -> -terminated": _TRUTH,
        "17: truncated -> -truncated": _TRUTH,
        "18: 0 -> 0.0": "the same number in a comparison",
    },
    "preprocess": {
        "4: max(0, len(frames) - back) -> max(len(frames) - back, 0)": "the larger, either way",
        "5: stack -> -stack": "only its shape is used",
    },
    "nature_cnn": {
        "7: nn.Sequential(nn.Conv2d(4, 32, 8, 4), nn.ReLU(), nn.Conv2d(32, 64, 4, 2), nn.ReLU(),"
        " nn.Conv2d(64, 64, 3), nn.ReLU(), nn.Flatten(), nn.Linear(64 * 7 * 7, 512), nn.ReLU()) ->"
        " nn.Sequential(nn.Conv2d(4, 32, 8, 4), nn.ReLU(), nn.Conv2d(32, 64, 4, 2), nn.ReLU(),"
        " nn.Conv2d(64, 64, 3), nn.Flatten(), nn.ReLU(), nn.Linear(64 * 7 * 7, 512),"
        " nn.ReLU())": _EACH,
        "23: 1 -> -1": "the last of two axes",
    },
    "iqm_interval": {
        "4: scores -> -scores": "only its length is used",
        "9: scores -> -scores": "minus NaN is NaN",
    },
}

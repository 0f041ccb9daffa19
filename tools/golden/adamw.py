"""Golden optimiser steps and schedules from torch.optim."""
import torch
from common import noise, save_case

SEED, STEPS = 51, 100
SHAPES = {"encoder.weight": (5, 3), "encoder.bias": (5,), "head.weight": (2, 3, 4), "head.scale": ()}
RATE, BETAS, EPS = 3e-3, (0.9, 0.98), 1e-8
GROUPS = {"encoder": {"lrScale": 0.1, "weightDecay": 0.05}, "head": {"lrScale": 1.0, "weightDecay": 0.0}}

parameters = {name: torch.nn.Parameter(noise(shape, SEED + i)) for i, (name, shape) in enumerate(SHAPES.items())}
start = {f"in.{name}": p.detach().clone() for name, p in parameters.items()}
# Gradients of very different magnitude, some tiny (where eps matters), and a rate that changes with the step.
gradients = {
    name: noise((STEPS, *shape), SEED + 20 + i) * torch.tensor([1.0, 1e-2, 10.0, 1e-7][i]) for i, (name, shape) in enumerate(SHAPES.items())
}
optimiser = torch.optim.AdamW(
    [{"params": [p for n, p in parameters.items() if n.startswith(group)], "weight_decay": o["weightDecay"], "name": group}
     for group, o in GROUPS.items()],
    lr=RATE, betas=BETAS, eps=EPS,
)
tensors = dict(start)
for step in range(STEPS):
    for group in optimiser.param_groups:
        group["lr"] = RATE * GROUPS[group["name"]]["lrScale"] * (1 - step / (2 * STEPS))
    for name, p in parameters.items():
        p.grad = gradients[name][step].clone()
    optimiser.step()
    if step + 1 in (1, 60, STEPS):
        tensors |= {f"out.{step + 1}.{name}": p.detach().clone() for name, p in parameters.items()}
tensors |= {f"grad.{name}": g for name, g in gradients.items()}

# The norm that clip_grad_norm_ returns for the gradients of step 0, and the clipped gradients.
clipped = [torch.nn.Parameter(torch.zeros(s)) for s in SHAPES.values()]
for p, g in zip(clipped, gradients.values()):
    p.grad = g[0].clone()
tensors["out.norm"] = torch.nn.utils.clip_grad_norm_(clipped, 0.5)
tensors |= {f"out.clipped.{name}": p.grad for name, p in zip(SHAPES, clipped)}


def rates(make, total=40):
    """The learning rate of each step, set by the scheduler."""
    dummy = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=RATE)
    schedule, seen = make(dummy), []
    for _ in range(total):
        seen.append(dummy.param_groups[0]["lr"])
        dummy.step()
        schedule.step() if len(seen) < total else None
    return torch.tensor(seen, dtype=torch.float64).float()


scheduler = torch.optim.lr_scheduler
tensors["out.one_cycle"] = rates(lambda o: scheduler.OneCycleLR(o, max_lr=RATE, total_steps=40, pct_start=0.3))
tensors["out.cosine"] = rates(lambda o: scheduler.SequentialLR(
    o, [scheduler.LinearLR(o, start_factor=1 / 8, end_factor=1, total_iters=7), scheduler.CosineAnnealingLR(o, T_max=32)], milestones=[8],
))
save_case(
    "adamw-two-groups", tensors, seed=SEED, tolerance=1e-6,
    note="100 steps in float32 on both sides; 1e-6 is a few roundings of the largest value.",
)

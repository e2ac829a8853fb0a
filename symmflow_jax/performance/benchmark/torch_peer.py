"""The same workloads in PyTorch with torchcfm's U-Net, for comparison (both are optional)."""

import copy
import os
from collections.abc import Callable
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from symmflow_jax.config.build.experiment import Experiment
from symmflow_jax.networks.velocity.unet import UNet
from symmflow_jax.performance import workloads
from symmflow_jax.performance.timing import Task
from symmflow_jax.performance.workloads import GENERATION, RECOGNITION, TRAIN_STEP, Subject


def is_installed() -> bool:
    """Tells if PyTorch and torchcfm can be imported."""
    try:
        import torch  # noqa: F401
        import torchcfm.models.unet.unet  # noqa: F401
    except ImportError:
        return False
    return True


def has_form_of(network: nn.Module) -> bool:
    """Tells if torchcfm has the same network."""
    return type(network) is UNet


def cpu_tasks(experiment: Experiment, batch_size: int) -> dict[str, Task]:
    """The workloads of `workloads.tasks` by name in PyTorch, in float32 on all cores."""
    import torch

    torch.set_num_threads(os.cpu_count() or 1)
    return _tasks(experiment, batch_size, "cpu")


def cuda_tasks(experiment: Experiment, batch_size: int) -> dict[str, Task]:
    """The same workloads on one GPU, in PyTorch's default precision; each call synchronizes."""
    import torch

    def waiting(task: Task) -> Task:
        def run() -> None:
            task()
            torch.cuda.synchronize()

        return run

    with torch.device("cuda"):
        tasks = _tasks(experiment, batch_size, "cuda")
    return {name: waiting(task) for name, task in tasks.items()}


def _tasks(experiment: Experiment, batch_size: int, device: str) -> dict[str, Task]:
    """The workloads on a device.

    They start from clean codes and do not include the encoding of the labels.
    """
    import torch

    subject = workloads.subject(experiment, batch_size)
    network = _network(subject).to(device)
    images, semantics = (tensor.to(device) for tensor in _tensors(subject))
    num_steps = subject.experiment.eval.generation_steps
    channels = images.shape[1]

    @torch.inference_mode()
    def generate() -> Any:
        state = torch.cat([torch.randn_like(images), semantics], dim=1)
        for index in range(num_steps):
            t = torch.full((len(state),), index / num_steps, device=device)
            state = state + network(t, state) / num_steps
        return state[:, :channels].clamp(-1, 1)

    @torch.inference_mode()
    def predict_semantics() -> Any:
        state = torch.cat([images, torch.randn_like(semantics)], dim=1)
        return (state - network(torch.ones(len(state), device=device), state))[:, channels:]

    return {
        TRAIN_STEP: _train_step(subject, network, images, semantics),
        GENERATION: generate,
        RECOGNITION: predict_semantics,
    }


def _train_step(subject: Subject, network: Any, images: Any, semantics: Any) -> Callable[[], None]:
    """A train step with fused AdamW and a multi-tensor moving average, PyTorch's fastest form."""
    import torch

    train = subject.experiment.train
    learner = copy.deepcopy(network).train()
    parameters = list(learner.parameters())
    average = [parameter.detach().clone() for parameter in parameters]
    optimizer = torch.optim.AdamW(
        parameters, lr=train.end_learning_rate, weight_decay=train.weight_decay, fused=True
    )
    scale, channels = 1.0 - train.sigma_min, images.shape[1]

    def step() -> None:
        noise_x, noise_y = torch.randn_like(images), torch.randn_like(semantics)
        t = torch.rand(len(images), device=images.device)
        s = t[:, None, None, None]
        x_t = (1 - scale * s) * noise_x + s * images
        y_t = (1 - scale * s) * semantics + s * noise_y
        velocity = learner(t, torch.cat([x_t, y_t], dim=1))
        loss_x = (velocity[:, :channels] - (images - scale * noise_x)).square().mean()
        loss_y = (velocity[:, channels:] - (noise_y - scale * semantics)).square().mean()
        optimizer.zero_grad(set_to_none=True)
        (train.image_weight * loss_x + (1 - train.image_weight) * loss_y).backward()
        optimizer.step()
        with torch.no_grad():
            torch._foreach_lerp_(average, parameters, 1 - train.ema_decay)

    return step


def _network(subject: Subject) -> Any:
    from torchcfm.models.unet.unet import UNetModel

    network = subject.experiment.network
    channels = sum(shape[-1] for shape in subject.method.codec.shapes)
    return UNetModel(
        image_size=subject.method.codec.image_shape[0],
        in_channels=channels,
        model_channels=network.channels,
        out_channels=channels,
        num_res_blocks=network.num_res_blocks,
        attention_resolutions=network.attention_rates,
        dropout=network.dropout_rate,
        channel_mult=network.channel_multipliers,
        num_head_channels=network.head_channels,
    ).eval()


def _tensors(subject: Subject) -> tuple[Any, Any]:
    """Images in [-1, 1] and clean semantics, `[batch, channels, height, width]`."""
    import torch

    images = subject.batch.image.values.astype(np.float32) / 127.5 - 1.0
    semantics = jax.vmap(subject.method.codec.encoding.encode_clean)(
        jnp.asarray(subject.batch.labels)
    )
    arrays = (images, np.asarray(semantics))
    first, second = (torch.from_numpy(array.transpose(0, 3, 1, 2).copy()) for array in arrays)
    return first, second

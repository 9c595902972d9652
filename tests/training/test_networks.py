"""Networks: what an untrained one does, what one output depends on, and weights as files."""

from pathlib import Path
from statistics import fmean

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file
from torch import nn

from pixels.metering import KEY
from training.data.dataset import to_tensor
from training.data.fusion import fuse as fuse_by_opencv
from training.data.fusion import meter, to_display, to_linear
from training.errors import TrainingError
from training.metrics import psnr
from training.networks.critic import PatchCritic
from training.networks.fusion import fuse
from training.networks.generator import EXPOSURES_EV, Generator
from training.networks.vgg import LAYERS, PerceptualDistance, load_perceptual_distance, vgg_layers
from training.networks.weights import WeightsError, load_for_training, load_generator, save_generator


def trained(width: int = 4) -> Generator:
    """A generator whose zeroed layers are filled, as after training."""
    torch.manual_seed(0)
    generator = Generator(width)
    for parameter in generator.parameters():
        nn.init.normal_(parameter, std=0.1)
    return generator.eval()


def test_untrained_generator_fuses_the_exposures_of_the_metered_photo() -> None:
    tile, exponent = torch.rand(2, 3, 64, 64), torch.tensor([[0.5] * 3, [0.8, 1.0, 1.3]])
    gain = KEY ** (1 - 1 / exponent[..., None, None])
    exposures = torch.cat([(tile * gain * 2 ** (ev / 2.2)).clamp(max=1) for ev in EXPOSURES_EV], dim=1)
    expected, _ = fuse(exposures)
    torch.testing.assert_close(Generator(4, tone_scale=1)(tile, exponent), expected, atol=1e-3, rtol=0)


def test_fusion_is_nearer_to_that_of_opencv_than_any_exposure() -> None:
    fused_psnr, exposure_psnr = [], []
    for path in sorted(Path("docs/samples").glob("*.jpg")):
        photo = np.asarray(Image.open(path).resize((256, 256), Image.Resampling.BOX))
        frames = [to_display(meter(to_linear(photo)) * 2.0**ev) for ev in EXPOSURES_EV]
        expected = torch.from_numpy(fuse_by_opencv(frames)).permute(2, 0, 1)[None].clamp(0, 1)
        photos = [to_tensor(frame)[None] for frame in frames]
        fused_photo, _ = fuse(torch.cat(photos, dim=1))
        fused_psnr.append(float(psnr(fused_photo.clamp(0, 1), expected)))
        exposure_psnr.append(max(float(psnr(exposure, expected)) for exposure in photos))
    assert fmean(fused_psnr) > fmean(exposure_psnr) + 5


def test_weights_of_the_exposures_add_up_to_one() -> None:
    _, weights = fuse(torch.rand(1, 12, 32, 48))
    torch.testing.assert_close(weights.sum(1) / 3, torch.ones(1, 32, 48))


def test_fusing_copies_of_a_photo_returns_the_photo() -> None:
    photo = torch.rand(2, 3, 24, 64)
    torch.testing.assert_close(fuse(photo.repeat(1, 3, 1, 1))[0], photo)


def test_tile_does_not_depend_on_its_batch() -> None:
    generator, tiles, exponents = trained(), torch.rand(3, 3, 64, 64), torch.tensor([[0.5] * 3, [1.0] * 3, [2.0] * 3])
    with torch.inference_mode():
        together = generator(tiles, exponents)
        alone = generator(tiles[1:2], exponents[1:2])
    torch.testing.assert_close(together[1:2], alone)


def test_generator_sees_most_of_a_512_px_tile() -> None:
    generator, tile = trained(), torch.rand(1, 3, 512, 512, requires_grad=True)
    generator(tile, torch.ones(1, 3))[0, :, 256, 256].sum().backward()
    assert tile.grad is not None
    seen = tile.grad[0].abs().sum(0).nonzero()
    assert (seen.min(0).values <= 32).all() and (seen.max(0).values >= 480).all()


def test_critic_judges_patches_of_70_px() -> None:
    critic, photo = PatchCritic(width=4), torch.rand(1, 3, 256, 256, requires_grad=True)
    scores = critic(photo, torch.rand(1, 3, 256, 256))
    scores[0, 0, 15, 15].backward()
    assert photo.grad is not None
    seen = photo.grad[0].abs().sum(0).nonzero()
    height, width = (seen.max(0).values - seen.min(0).values + 1).tolist()
    assert (height, width) == (70, 70)


def test_weights_survive_a_file(tmp_path: Path) -> None:
    generator, tile = trained(), torch.rand(1, 3, 64, 64)
    save_generator(generator, tmp_path / "g.safetensors", {"recipe": "debug"})
    loaded = load_generator(tmp_path / "g.safetensors")
    assert loaded.width == 4
    exponent = torch.ones(1, 3)
    torch.testing.assert_close(loaded(tile, exponent), generator(tile, exponent), atol=5e-3, rtol=0)  # half precision


def test_a_refinement_starts_without_effect_and_is_left_out_where_nobody_trained_it(tmp_path: Path) -> None:
    save_generator(Generator(4, refines=False), tmp_path / "g.safetensors")
    served, trained_on = load_generator(tmp_path / "g.safetensors"), load_for_training(tmp_path / "g.safetensors", 4)
    assert served.refinement is None and trained_on.refinement is not None
    tile, exponent = torch.rand(1, 3, 64, 64), torch.ones(1, 3)
    torch.testing.assert_close(served(tile, exponent), trained_on(tile, exponent))
    save_generator(trained(), tmp_path / "refined.safetensors")
    assert load_generator(tmp_path / "refined.safetensors").refinement is not None
    assert load_for_training(tmp_path / "refined.safetensors", 1).refinement is None


def test_unusable_weights_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="no such file"):
        load_generator(tmp_path / "none.safetensors")
    (tmp_path / "text.safetensors").write_text("hello")
    with pytest.raises(WeightsError, match="not weights of a generator"):
        load_generator(tmp_path / "text.safetensors")
    save_file(Generator(8).state_dict(), tmp_path / "lie.safetensors", metadata={"width": "4"})
    with pytest.raises(WeightsError, match="another architecture"):
        load_generator(tmp_path / "lie.safetensors")


def test_weights_that_cannot_be_saved_leave_the_old_ones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save_generator(Generator(4), tmp_path / "g.safetensors")

    def full(tensors: object, path: Path, metadata: object) -> None:
        path.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("training.networks.weights.save_file", full)
    with pytest.raises(WeightsError, match=r"No space left.*intact"):
        save_generator(Generator(8), tmp_path / "g.safetensors")
    assert load_generator(tmp_path / "g.safetensors").width == 4
    assert [path.name for path in tmp_path.iterdir()] == ["g.safetensors"]


def test_vgg_layers_are_numbered_as_in_torchvision() -> None:
    layers = vgg_layers()
    assert all(isinstance(layers[index], nn.ReLU) for index in LAYERS)
    convolutions = [(i, layer.out_channels) for i, layer in enumerate(layers) if isinstance(layer, nn.Conv2d)]
    assert convolutions == [
        (0, 64), (2, 64), (5, 128), (7, 128), (10, 256), (12, 256), (14, 256), (16, 256), (19, 512), (21, 512)
    ]  # fmt: skip


def test_missing_vgg_names_file_flag_and_way_out(tmp_path: Path) -> None:
    for weights in (None, tmp_path / "none.pth"):
        with pytest.raises(TrainingError, match=r"--vgg vgg19-dcbb9e9d\.pth .*download.*'shipped'"):
            load_perceptual_distance(weights)


def test_vgg_weights_load_from_a_whole_network_file(tmp_path: Path) -> None:
    reference = PerceptualDistance()
    tensors = {f"features.{name}": value for name, value in reference.features.state_dict().items()}
    torch.save(tensors | {"classifier.0.weight": torch.zeros(1)}, tmp_path / "vgg.pth")
    x, y = torch.rand(1, 3, 32, 32), torch.rand(1, 3, 32, 32)
    loaded = load_perceptual_distance(tmp_path / "vgg.pth")
    torch.testing.assert_close(loaded(x, y), reference(x, y))
    assert loaded(x, x) == 0

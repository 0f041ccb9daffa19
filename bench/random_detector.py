"""A detector with random weights, and inputs for it: made in a folder unless they are there, for detector.py and train_step.py."""
import json
import pathlib

import torch
from safetensors.torch import load_file, save_file
from transformers import GroundingDinoConfig, GroundingDinoForObjectDetection

NANO = pathlib.Path(__file__).parent.parent / "weights" / "nano-grounding-dino" / "config.json"
SIZES = {
    "nano": json.loads(NANO.read_text()),
    "tiny": {},
    "base": dict(backbone_config=dict(model_type="swin", embed_dim=128, depths=[2, 2, 18, 2], num_heads=[4, 8, 16, 32],
                                      window_size=12, image_size=384, out_indices=[2, 3, 4])),
}
WORDS = [28378, 22144, 22330, 3367]


def random_detector(folder, size, **settings):
    """The model of a folder. `size` is nano, tiny or base; `settings` override its configuration."""
    if (folder / "model.safetensors").exists():
        return GroundingDinoForObjectDetection.from_pretrained(folder)
    model = GroundingDinoForObjectDetection(GroundingDinoConfig(**{**SIZES[size], **settings}))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.02)
    model.save_pretrained(folder)
    return model


def random_inputs(folder, model, side, batch=1):
    """Square images of noise and a prompt of two phrases, with the mask of an image without padding."""
    if (folder / "inputs.safetensors").exists():
        inputs = load_file(folder / "inputs.safetensors")
    else:
        first, second, third, fourth = (word % model.config.text_config.vocab_size for word in WORDS)
        ids = torch.tensor([[101, first, second, 1012, third, fourth, 1012, 102]]).repeat(batch, 1)
        inputs = dict(pixel_values=torch.randn(batch, 3, side, side), input_ids=ids, attention_mask=torch.ones_like(ids),
                      token_type_ids=torch.zeros_like(ids))
        save_file(inputs, folder / "inputs.safetensors")
    inputs["pixel_mask"] = torch.ones(1, side, side, dtype=torch.long)
    return inputs

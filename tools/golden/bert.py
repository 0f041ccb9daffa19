"""Fixture bert-phrases: the BERT encoder with an attention mask over pairs of tokens, as used by Grounding DINO.

Run: .venv-reference/bin/python tools/golden/bert.py
"""
import torch
from transformers import BertConfig, BertModel
from transformers.models.grounding_dino.modeling_grounding_dino import generate_masks_with_special_tokens_and_transfer_map

from common import noise, perturb, save_case

CASES = {
    "bert-phrases": dict(hidden_act="gelu", seed=3),
    "bert-relu": dict(hidden_act="relu", layer_norm_eps=1e-3, seed=4),
}

# [CLS] 101, [SEP] 102 and full stops 1012 separate the phrases; the second prompt is padded with 0.
IDS = [
    [101, 7, 25, 1012, 9, 1012, 31, 12, 4, 1012, 102],
    [101, 18, 1012, 5, 6, 1012, 102, 0, 0, 0, 0],
]
TYPES = [[0] * 11, [0, 0, 0, 1, 1, 1, 1, 0, 0, 0, 0]]


def make(name, seed, **config):
    torch.manual_seed(seed)
    model = perturb(
        BertModel(
            BertConfig(
                vocab_size=1013, hidden_size=16, num_hidden_layers=2, num_attention_heads=4, intermediate_size=24,
                max_position_embeddings=13, **config,
            ),
            add_pooling_layer=False,
        ),
        seed,
        std=0.1,
    )
    ids, types = torch.tensor(IDS), torch.tensor(TYPES)
    mask, positions = generate_masks_with_special_tokens_and_transfer_map(ids)
    states = model(ids, mask[:, None], types, positions).last_hidden_state
    dout = noise(states.shape, seed + 1)
    (states * dout).sum().backward()
    tensors = {
        "in.input_ids": ids.int(), "in.attention_mask": mask.int(), "in.token_type_ids": types.int(), "in.position_ids": positions.int(),
        "in.grad": dout, "out.last_hidden_state": states,
    }
    tensors |= {f"grad.{n}": p.grad for n, p in model.named_parameters() if p.grad is not None}
    save_case(name, tensors, seed=seed, tolerance=1e-4, model=model, note="forward of a whole small encoder; gradients to 1e-3")


if __name__ == "__main__":
    for name, case in CASES.items():
        make(name, **case)

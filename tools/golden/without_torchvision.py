"""Import this before timm, if torchvision belongs to another build of torch. timm imports torchvision; nothing here uses its operators,
and transformers, imported here, is told that there is none."""
import importlib.util

import torch

_find = importlib.util.find_spec
importlib.util.find_spec = lambda name, *rest: None if name == "torchvision" else _find(name, *rest)
from transformers import AutoModel, BertConfig, GroundingDinoConfig  # noqa: E402, F401
from transformers.models.grounding_dino import modeling_grounding_dino  # noqa: E402, F401

importlib.util.find_spec = _find
library = torch.library.Library("torchvision", "FRAGMENT")
for _name in ("nms", "qnms"):
    library.define(f"{_name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")

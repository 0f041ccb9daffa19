"""The authors' BiomedParse (version 1), for the scripts of fixtures and parity.

Needs a checkout of https://github.com/microsoft/BiomedParse on PYTHONPATH, which no package provides. Its packages import much that
a forward pass never uses; their `__init__.py` files are not run. What its modules really use of other packages is little, and stands here:

- detectron2: `Conv2d` (a convolution with a norm and an activation after it), `get_norm` (GroupNorm of 32 groups), `ShapeSpec`,
  `ImageList.from_tensors` (zero padding to a common multiple), and registries and base classes without content;
- fvcore's and timm's initialisations, which random weights replace, and timm's `DropPath`, which evaluation leaves out;
- torchvision's `Resize`, which for a Pillow image is Pillow's;
- `cuda()`, which stays on the processor, and BiomedBERT, whose weights are in the file and which nothing reads.
"""
import pathlib
import sys
import types
from unittest.mock import MagicMock

import torch
import torch.nn.functional as F
from torch import nn

import common  # noqa: F401 - transformers looks for torchvision, and must not find a stand-in
import transformers

GROUPS = 32


def stand_in(name, **members):
    """A module of the given members, and modules above it."""
    parent, _, last = name.rpartition(".")
    if parent and parent not in sys.modules:
        stand_in(parent)
    module = types.ModuleType(name)
    module.__dict__.update(members)
    sys.modules[name] = module
    if parent:
        setattr(sys.modules[parent], last, module)


class Conv2d(nn.Conv2d):
    def __init__(self, *args, norm=None, activation=None, **kwargs):
        super().__init__(*args, **kwargs)
        self.norm, self.activation = norm, activation

    def forward(self, x):
        x = super().forward(x)
        if self.norm is not None:
            x = self.norm(x)
        return x if self.activation is None else self.activation(x)


class ShapeSpec:
    def __init__(self, channels, stride):
        self.channels, self.stride = channels, stride


class ImageList:
    def __init__(self, tensor):
        self.tensor = tensor

    @staticmethod
    def from_tensors(tensors, multiple):
        h, w = (-(-max(t.shape[axis] for t in tensors) // multiple) * multiple for axis in (-2, -1))
        return ImageList(torch.stack([F.pad(t, (0, w - t.shape[-1], 0, h - t.shape[-2])) for t in tensors]))


class Resize:
    def __init__(self, size, interpolation):
        self.size, self.interpolation = size[::-1], interpolation

    def __call__(self, image):
        return image.resize(self.size, self.interpolation)


class Compose:
    def __init__(self, steps):
        self.steps = steps

    def __call__(self, image):
        for step in self.steps:
            image = step(image)
        return image


def nothing(*_args, **_kwargs):
    """In place of initialisations."""


stand_in("detectron2.layers", Conv2d=Conv2d, ShapeSpec=ShapeSpec, DeformConv=None, cat=None, shapes_to_tensor=None,
         get_norm=lambda _name, channels: nn.GroupNorm(GROUPS, channels))
stand_in("detectron2.modeling", BACKBONE_REGISTRY=MagicMock(), Backbone=nn.Module, ShapeSpec=ShapeSpec)
stand_in("detectron2.utils.file_io", PathManager=None)
stand_in("detectron2.utils.memory", retry_if_cuda_oom=None)
stand_in("detectron2.structures", ImageList=ImageList, Boxes=MagicMock(), Instances=None, BitMasks=MagicMock())
stand_in("detectron2.data", MetadataCatalog=None)
stand_in("fvcore.nn.weight_init", c2_xavier_fill=nothing)
stand_in("timm.models.layers", DropPath=nn.Dropout, trunc_normal_=nothing, to_2tuple=lambda n: (n, n))
stand_in("kornia.contrib", distance_transform=None)
stand_in("torchvision", transforms=types.SimpleNamespace(Resize=Resize, Compose=Compose))
stand_in("matplotlib.colors", TABLEAU_COLORS={str(i): i for i in range(16)}, BASE_COLORS={})
stand_in("mpi4py", MPI=None)
for name in ("nltk", "einops", "timm.loss"):
    sys.modules.setdefault(name, MagicMock())

CODE = next(pathlib.Path(p) for p in sys.path if p and (pathlib.Path(p) / "modeling" / "architectures" / "seem_model_demo.py").is_file())


def package(name, **members):
    """One of the authors' packages, without its `__init__.py`."""
    stand_in(name, __path__=[str(CODE / name.replace(".", "/"))], **members)


def configurable(init):
    """Constructors are called with their own arguments here."""
    return init


package("modeling")
package("modeling.utils")
from modeling.utils.attention import MultiheadAttention  # noqa: E402
from modeling.utils.interactive import prepare_features, rand_sample_plain  # noqa: E402

vars(sys.modules["modeling.utils"]).update(configurable=configurable, MultiheadAttention=MultiheadAttention, prepare_features=prepare_features,
                                           rand_sample_plain=rand_sample_plain, get_class_names=None, get_iou=None)
package("modeling.modules", SetCriterion=None, HungarianMatcher=None, sem_seg_postprocess=None, bbox_postprocess=None)
from modeling.modules.position_encoding import PositionEmbeddingSine  # noqa: E402

sys.modules["modeling.modules"].PositionEmbeddingSine = PositionEmbeddingSine
for name in ("modeling.vision", "modeling.vision.encoder", "modeling.interface", "modeling.language", "modeling.architectures"):
    package(name)
package("modeling.vision.backbone", build_backbone=None, Backbone=nn.Module)
package("modeling.body", build_xdecoder_head=None)
sys.modules["modeling.language"].build_language_encoder = None
package("modeling.language.LangEncoder", build_tokenizer=None, build_lang_encoder=None)

from inference_utils import output_processing  # noqa: E402
from inference_utils.inference import interactive_infer_image  # noqa: E402
from modeling.architectures.seem_model_demo import GeneralizedSEEM  # noqa: E402
from modeling.interface.seem_demo import SEEMDecoder  # noqa: E402
from modeling.language.LangEncoder.transformer import Transformer  # noqa: E402
from modeling.language.vlpencoder import LanguageEncoder  # noqa: E402
from modeling.vision.backbone.focal import FocalNet  # noqa: E402
from modeling.vision.encoder.transformer_encoder_fpn import TransformerEncoderPixelDecoder  # noqa: E402

torch.Tensor.cuda = lambda tensor, *_args, **_kwargs: tensor
transformers.AutoModel.from_pretrained = lambda *_args, **_kwargs: nn.Linear(3, 2)
MEAN, STD = (123.675, 116.280, 103.530), (58.395, 57.120, 57.375)
ATTENTION = dict(
    VARIABLE=dict(queries=["object"], tokens=["grounding", "spatial", "visual", "audio"]),
    SELF_ATTENTION=dict(
        queries=dict(object=["queries_object", "tokens_grounding", "tokens_spatial", "tokens_visual", "tokens_audio"]),
        tokens=dict(grounding=["queries_object", "tokens_grounding"], spatial=["tokens_spatial"], visual=["tokens_visual"],
                    audio=["queries_object", "tokens_audio"])),
    CROSS_ATTENTION=dict(queries=dict(object=True), tokens=dict(grounding=False, spatial=False, visual=False, audio=False)),
    MASKING=["tokens_spatial", "tokens_grounding", "tokens_visual", "tokens_audio"],
    DUPLICATION=dict(queries=dict(grounding="queries_object", spatial="queries_object")),
    SPATIAL_MEMORIES=32)
# The configuration's `MASK: {ENABLED: False}` is a dictionary, and so counts as true.
TASKS = dict(bbox=False, mask=True, spatial=True, grounding=True, openimage=dict(grounding=False, mask=False), visual=False, audio=False)


class Tokenizer:
    """CLIP's tokenizer for phrases, or given ids for words that are numbers: `"0 5 1"`."""

    def __init__(self, clip=None, end=None):
        self.clip, self.end = clip, end

    def __call__(self, texts, padding, truncation, max_length, return_tensors):
        if self.clip is not None:
            return dict(self.clip(texts, padding=padding, truncation=truncation, max_length=max_length, return_tensors=return_tensors))
        rows = [[int(word) for word in text.split()] for text in texts]
        ids = torch.tensor([row + [self.end] * (max_length - len(row)) for row in rows])
        return {"input_ids": ids, "attention_mask": torch.tensor([[1] * len(row) + [0] * (max_length - len(row)) for row in rows])}


def build(*, width=192, depths=(2, 2, 18, 2), levels=(4, 4, 4, 4), windows=(3, 3, 3, 3), hidden=512, mask_dim=512, heads=8, feed_forward=2048,
          encoder_layers=6, decoder_layers=9, queries=101, vocabulary=49408, context=77, text_width=512, text_layers=12, text_heads=8,
          groups=32, tokenizer=None):
    """A BiomedParse of the authors' classes, put together as their `from_config` methods do; the published sizes by default."""
    global GROUPS
    GROUPS = groups
    backbone = FocalNet(embed_dim=width, depths=list(depths), focal_levels=list(levels), focal_windows=list(windows), drop_path_rate=0.0,
                        use_conv_embed=True, use_postln=True, scaling_modulator=True, use_layerscale=True)
    shapes = {f"res{i + 2}": ShapeSpec(width * 2**i, 4 * 2**i) for i in range(4)}
    pixel_decoder = TransformerEncoderPixelDecoder(
        shapes, transformer_dropout=0.0, transformer_nheads=heads, transformer_dim_feedforward=feed_forward,
        transformer_enc_layers=encoder_layers, transformer_pre_norm=False, conv_dim=hidden, mask_dim=mask_dim, mask_on={"ENABLED": False}, norm="GN")
    text = Transformer(context_length=context, vocab_size=vocabulary, width=text_width, layers=text_layers, heads=text_heads)
    language = LanguageEncoder(tokenizer or Tokenizer(end=vocabulary - 1), "clip", text, nn.Parameter(torch.empty(text_width, hidden)), context, {})
    # A text of each class, which only the unused class scores read.
    language.default_text_embeddings = torch.zeros(2, hidden)
    predictor = SEEMDecoder(
        language, hidden, True, hidden_dim=hidden, dim_proj=hidden, num_queries=queries, contxt_len=context, nheads=heads,
        dim_feedforward=feed_forward, dec_layers=decoder_layers, pre_norm=False, mask_dim=mask_dim, task_switch=dict(TASKS),
        enforce_input_project=False, max_spatial_len=[512] * 4, attn_arch=dict(ATTENTION))
    head = nn.Module()
    head.pixel_decoder, head.predictor = pixel_decoder, predictor
    model = GeneralizedSEEM(
        backbone=backbone, sem_seg_head=head, criterion=None, losses={}, num_queries=queries, object_mask_threshold=0.4,
        overlap_threshold=0.8, metadata=None, task_switch=dict(TASKS), phrase_prob=None, size_divisibility=32,
        sem_seg_postprocess_before_inference=True, pixel_mean=MEAN, pixel_std=STD, semantic_on=True, panoptic_on=True, instance_on=True,
        test_topk_per_image=100, train_dataset_name=None, interactive_mode="best", interactive_iter=20, dilation_kernel=torch.ones(1, 1, 3, 3))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.nan_to_num_()  # What nothing initialises is whatever was in memory.
            if not parameter.abs().max() < 100:
                parameter.zero_()
    return model.eval()


def watch(model):
    """Records what each block returns, until the hooks are removed."""
    seen, hooks = {}, []

    def record(name, module, take=lambda output: output):
        hooks.append(module.register_forward_hook(lambda _m, _i, output: seen.update({name: take(output)})))

    backbone, head = model.backbone, model.sem_seg_head
    for i, stage in enumerate(backbone.layers):
        for k, block in enumerate(stage.blocks):
            record(f"backbone.layers.{i}.blocks.{k}", block)
        record(f"backbone.norm{i}", getattr(backbone, f"norm{i}"))
    for i, layer in enumerate(head.pixel_decoder.transformer.encoder.layers):
        record(f"encoder.{i}", layer, lambda x: x.transpose(0, 1))
    for i in range(1, 5):
        record(f"fpn.{i}", getattr(head.pixel_decoder, f"layer_{i}"), nhwc)
    record("mask_features", head.pixel_decoder.mask_features, nhwc)
    for i, block in enumerate(head.predictor.lang_encoder.lang_encoder.resblocks):
        record(f"text.{i}", block, lambda x: x.transpose(0, 1))
    record("text", head.predictor.lang_encoder.lang_encoder, lambda output: output["last_hidden_state"])
    for i in range(head.predictor.num_layers):
        record(f"decoder.{i}.cross", head.predictor.transformer_cross_attention_layers[i], lambda output: output[0].transpose(0, 1))
        record(f"decoder.{i}", head.predictor.transformer_ffn_layers[i], lambda output: output.transpose(0, 1))
    return seen, hooks


def nhwc(x):
    return x.permute(0, 2, 3, 1)


def ask(model, pixels, phrases):
    """What the authors' `interactive_infer_image` reads from the model: masks and class embeddings of all queries, and each phrase's class.

    `pixels`: [3, H, W] in 0 to 255, already of the model's size. All phrases are one prompt, as there."""
    answer, _size, extra = model.evaluate_demo([{"image": pixels, "text": phrases, "height": pixels.shape[1], "width": pixels.shape[2]}])
    return answer["pred_masks"][0], answer["pred_captions"][0], extra["grounding_class"]

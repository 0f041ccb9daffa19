"""Golden losses and gradients with respect to the outputs: the detection criterion and the mask losses, by transformers."""
import types

import torch
from common import noise, save_case
from transformers.loss.loss_for_object_detection import dice_loss, sigmoid_focal_loss
from transformers.loss.loss_grounding_dino import GroundingDinoForObjectDetectionLoss

SEED = 41
LAYERS, QUERIES = 3, 7
CONFIG = types.SimpleNamespace(
    class_cost=1.0, bbox_cost=5.0, giou_cost=2.0, bbox_loss_coefficient=5.0, giou_loss_coefficient=2.0, focal_alpha=0.25,
    auxiliary_loss=True, two_stage=True, decoder_layers=LAYERS,
)
CLASS_WEIGHT = 2.0  # fixed in the reference
PARTS = {"loss_ce": CLASS_WEIGHT, "loss_bbox": CONFIG.bbox_loss_coefficient, "loss_giou": CONFIG.giou_loss_coefficient}


def boxes(shape, seed):
    """Centre and size, mostly inside the image, never degenerate."""
    uniform = torch.rand(shape + (4,), generator=torch.Generator().manual_seed(seed))
    return torch.cat([0.2 + 0.6 * uniform[..., :2], 0.05 + 0.4 * uniform[..., 2:]], -1)


def label_map(spans, tokens):
    """[classes, tokens]: 1 on the tokens of each phrase."""
    rows = torch.zeros(len(spans), tokens)
    for row, (start, end) in zip(rows, spans):
        row[start:end] = 1
    return rows


def reference(logits, pred_boxes, encoder_logits, encoder_boxes, maps, mask, labels):
    """Total, terms of the last layer, weighted sums over the other layers and over the encoder."""
    text_mask = mask[:, None, :].expand(-1, QUERIES, -1)
    total, parts, _ = GroundingDinoForObjectDetectionLoss(
        logits[-1], labels, logits.device, pred_boxes[-1], CONFIG, maps, text_mask,
        outputs_class=logits, outputs_coord=pred_boxes, encoder_logits=encoder_logits, encoder_pred_boxes=encoder_boxes,
    )
    auxiliary = sum(w * parts[f"{name}_{i}"] for name, w in PARTS.items() for i in range(LAYERS - 1))
    encoder = sum(w * parts[f"{name}_enc"] for name, w in PARTS.items())
    return torch.stack([t.reshape(()) for t in (total, *(parts[name] for name in PARTS), auxiliary, encoder)])


def detection_case(name, prompts, tokens, classes, *, apart, note):
    """`prompts`: spans of the phrases and length of each image's prompt; `classes`: those of its objects.

    `apart`: evaluate each image separately and combine the losses by the number of objects, since the reference confuses the
    classes of different prompts.
    """
    batch, seed = len(prompts), SEED + len(name)
    logits = noise((LAYERS, batch, QUERIES, tokens), seed, 2.0)
    logits[0, 0, 0, :2] = torch.tensor([35.0, -35.0])
    encoder_logits = noise((batch, QUERIES, tokens), seed + 1, 2.0)
    encoder_logits[-1, 2] = -1e3
    pred_boxes, encoder_boxes = boxes((LAYERS, batch, QUERIES), seed + 2), boxes((batch, QUERIES), seed + 3)
    leaves = [logits, pred_boxes, encoder_logits, encoder_boxes]
    for leaf in leaves:
        leaf.requires_grad_(True)
    maps = [label_map(spans, tokens) for spans, _ in prompts]
    mask = torch.stack([torch.arange(tokens) < length for _, length in prompts])
    labels = [
        {"class_labels": torch.tensor(c, dtype=torch.long), "boxes": boxes((len(c),), seed + 10 + i)} for i, c in enumerate(classes)
    ]
    if apart:
        counts = [len(c) for c in classes]
        one = lambda x, i, axis: x.narrow(axis, i, 1)
        values = sum(
            max(counts[i], 1) / sum(counts) * reference(
                one(logits, i, 1), one(pred_boxes, i, 1), one(encoder_logits, i, 0), one(encoder_boxes, i, 0),
                [maps[i]], mask[i : i + 1], [labels[i]],
            )
            for i in range(batch)
        )
    else:
        values = reference(logits, pred_boxes, encoder_logits, encoder_boxes, maps, mask, labels)
    values[0].backward()
    tensors = {
        "in.logits": logits, "in.boxes": pred_boxes, "in.encoder_logits": encoder_logits, "in.encoder_boxes": encoder_boxes,
        "in.text_mask": mask.int(), "in.object_image": torch.tensor([i for i, c in enumerate(classes) for _ in c], dtype=torch.int32),
        "in.object_box": torch.cat([label["boxes"] for label in labels]),
        "in.object_tokens": torch.cat([maps[i][c] for i, c in enumerate(classes)]).int(),
        "out.values": values,
        "grad.logits": logits.grad, "grad.boxes": pred_boxes.grad,
        "grad.encoder_logits": encoder_logits.grad, "grad.encoder_boxes": encoder_boxes.grad,
    }
    save_case(name, tensors, seed=SEED, tolerance=1e-4, note=note)


shared = ([(1, 3), (4, 5), (6, 9)], 10)
detection_case("losses-single", [shared], 12, [[2, 0, 2]], apart=False, note="One image; two objects of one phrase, one absent.")
detection_case(
    "losses-shared-prompt", [shared] * 3, 12, [[1, 2], [], [0, 1, 2, 2]], apart=False,
    note="One prompt for all; an image without objects; two padding tokens.",
)
detection_case(
    "losses-two-prompts", [shared, ([(1, 2), (3, 8)], 12), ([(2, 6)], 8)], 12, [[2, 0], [1], [0, 0, 0]], apart=True,
    note="Different prompts; each image taken by itself, losses joined by the number of objects.",
)

# Masks: [N, h, w], one target empty, one full.
mask_logits = noise((5, 9, 13), SEED, 3.0).requires_grad_(True)
targets = (noise((5, 9, 13), SEED + 1) > 0.6).float()
targets[2], targets[3] = 0, 1
predicted_iou = torch.rand(5, generator=torch.Generator().manual_seed(SEED)).requires_grad_(True)
hard = mask_logits > 0
true_iou = (hard & (targets > 0)).sum((1, 2)) / (hard | (targets > 0)).sum((1, 2))
each = torch.stack([
    torch.stack([sigmoid_focal_loss(x.flatten()[None], t.flatten()[None], 1), dice_loss(x[None], t.flatten()[None], 1),
                 torch.nn.functional.mse_loss(p, i)])
    for x, t, p, i in zip(mask_logits, targets, predicted_iou, true_iou)
])
WEIGHTS = torch.tensor([20.0, 1.0, 1.5])
(each * WEIGHTS).sum().backward()
save_case(
    "losses-masks",
    {
        "in.logits": mask_logits, "in.targets": targets, "in.iou": predicted_iou, "in.weights": WEIGHTS,
        "out.losses": each, "out.true_iou": true_iou, "grad.logits": mask_logits.grad, "grad.iou": predicted_iou.grad,
    },
    seed=SEED, tolerance=1e-4, note="Each mask by itself: focal, Dice, squared error of the IoU.",
)

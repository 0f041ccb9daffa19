"""What highdicom and pydicom read in segmentations and reports, as JSON: test/evidence/readers.test.ts compares it."""

import hashlib
import json
import sys

import highdicom as hd
import pydicom


def masks(path, frames):
    seg = hd.seg.segread(path)
    ((_study, _series, instance),) = seg.get_source_image_uids()
    if frames > 0:
        pixels = seg.get_pixels_by_source_frame(
            instance, list(range(1, frames + 1)), assert_missing_frames_are_empty=True, ignore_spatial_locations=True
        )
    else:
        pixels = seg.get_pixels_by_source_instance([instance], ignore_spatial_locations=True)
    plain = pydicom.dcmread(path)
    segments = []
    for k, number in enumerate(seg.segment_numbers):
        described = seg.get_segment_description(number)
        segments.append(
            {
                "label": described.segment_label,
                "type": described.segmented_property_type.value,
                "category": described.segmented_property_category.value,
                "regions": [region.value for region in described.anatomic_regions or []],
                "tracking": described.tracking_uid,
                "algorithm": described.algorithm_identification.name,
                "frames": [hashlib.sha256(plane.astype("uint8").tobytes()).hexdigest() for plane in pixels[..., k]],
            }
        )
    return {
        "instance": instance,
        "type": seg.segmentation_type.value,
        "segments": segments,
        "pydicom": hashlib.sha256(plain.pixel_array.tobytes()).hexdigest(),
    }


def measures(path):
    report = hd.sr.srread(path)
    groups = []
    for group in report.content.get_planar_roi_measurement_groups():
        reference = group.referenced_segmentation_frame
        groups.append(
            {
                "label": group.tracking_identifier,
                "tracking": group.tracking_uid,
                "finding": group.finding_type.value,
                "sites": [site.value.value for site in group.finding_sites],
                "segmentation": reference.referenced_sop_instance_uid if reference else None,
                "measures": [
                    [one.name.meaning, one.value, one.unit.value, one.derivation.meaning if one.derivation else None]
                    for one in group.get_measurements()
                ],
            }
        )
    volumes = [
        {
            "label": group.tracking_identifier,
            "finding": group.finding_type.value,
            "sources": [
                [one.referenced_sop_instance_uid, one.referenced_frame_numbers] for one in group.source_images
            ],
            "measures": [[one.name.value, one.value, one.unit.value, one.method.value] for one in group.get_measurements()],
        }
        for group in report.content.get_image_measurement_groups()
    ]
    return groups, volumes


# Triples of a segmentation, a report, and the number of frames of their clip (0: an image).
triples = [sys.argv[i : i + 3] for i in range(1, len(sys.argv), 3)]
read = [(masks(seg, int(frames)), *measures(report)) for seg, report, frames in triples]
print(json.dumps([{"seg": seg, "sr": groups, "volumes": volumes} for seg, groups, volumes in read]))

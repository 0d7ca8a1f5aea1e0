"""How much a lambda and its process may use. What people can rely on stands in `stackyard.core.limits`."""

from __future__ import annotations

from stackyard.core.limits import LAMBDA_LOG_BYTES, LAMBDA_MEMORY_MB, LAMBDA_OUTPUT_BYTES

HEAP_MB = LAMBDA_MEMORY_MB.default
OUTPUT_BYTES = LAMBDA_OUTPUT_BYTES.default
LOG_BYTES = LAMBDA_LOG_BYTES.default

# What one frame may carry. A `done` frame carries the output or an error with its stack.
OUTPUT_FRAME_BYTES = OUTPUT_BYTES + 200_000
LOG_FRAME_BYTES = 4 * LOG_BYTES + 1_000
RPC_BYTES = 16_000_000
WAITING_BYTES = 64_000_000
INPUT_BYTES = 100_000_000


BOOT_SECONDS = 15.0
SLOT_SECONDS = 3_600.0
SLOT_RUNS = 100_000
IDLE_SECONDS = 300.0
# An idle slot that is larger than this after a run is closed.
KEPT_MB = 128

"""Every limit of the contract (§5): one table with default and maximum, read by whoever enforces it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limit:
    """`default` holds unless an installation or an endpoint sets another, never past `maximum`."""

    default: int
    maximum: int
    unit: str
    meaning: str


CALLS_PER_SECOND = Limit(100, 1_000_000, "calls/s", "Calls per endpoint")
CALLS_PER_CALLER = Limit(1_000_000, 1_000_000, "calls/s", "Calls per endpoint of each key, user or address")
REQUEST_BYTES = Limit(10_000_000, 100_000_000, "bytes", "Request body")
IMPORT_BYTES = Limit(5_000_000_000, 100_000_000_000, "bytes", "A CSV file to import")
RESPONSE_BYTES = Limit(50_000_000, 500_000_000, "bytes", "Response body")
STACK_SECONDS = Limit(30, 300, "s", "One run of a function stack")
KEPT_ANSWER_SECONDS = Limit(86_400, 86_400, "s", "How long the answer to an Idempotency-Key is kept")
KEPT_ANSWER_BYTES = Limit(10_000_000, 10_000_000, "bytes", "The answer to an Idempotency-Key that is kept")
LOGIN_FAILURES = Limit(10, 10, "tries", "Wrong passwords for one record in 15 minutes")
LOGIN_FAILURES_OF_ADDRESS = Limit(50, 50, "tries", "Wrong passwords from one address in 15 minutes")
LOGIN_SECONDS = Limit(900, 900, "s", "How long wrong passwords are counted")
JSON_DEPTH = Limit(64, 64, "levels", "Nesting of a JSON body")
FORM_FIELDS = Limit(1_000, 1_000, "fields", "Fields of a form or a query string")
EXPRESSION_DEPTH = Limit(100, 100, "levels", "Nesting of an expression")
EXPRESSION_STEPS = Limit(100_000, 100_000, "steps", "Steps of one evaluation")
OUTPUT_BYTES = Limit(10_000_000, 10_000_000, "bytes", "One value made by an expression")
STACK_STEPS = Limit(1_000_000, 10_000_000, "steps", "Lines and loop turns of one run of a stack")
CALL_DEPTH = Limit(8, 32, "calls", "Functions that call functions")
LIST_RECORDS = Limit(10_000, 10_000, "records", "A list that is not paged")
PAGE_RECORDS = Limit(1_000, 1_000, "records", "One page")
BULK_RECORDS = Limit(10_000, 10_000, "records", "One bulk step")
BATCH_OPERATIONS = Limit(1_000, 1_000, "operations", "One batch call")
WHERE_CONDITIONS = Limit(200, 200, "conditions", "Conditions of one query")
WHERE_DEPTH = Limit(10, 10, "levels", "Nesting of conditions")
FILE_BYTES = Limit(100_000_000, 100_000_000, "bytes", "One stored file")
LINK_SECONDS = Limit(3_600, 604_800, "s", "How long a link to a private file is good")
HISTORY_BODY_BYTES = Limit(32_768, 1_000_000, "bytes", "A body kept in the request history")
HISTORY_TRACE_BYTES = Limit(262_144, 1_000_000, "bytes", "A trace kept in the request history")
HISTORY_ENTRIES = Limit(100_000, 10_000_000, "entries", "Entries kept in the request history")
LAMBDA_SECONDS = Limit(300, 300, "s", "One run of a lambda")
LAMBDA_MEMORY_MB = Limit(256, 1_024, "MB", "Memory of a lambda")
LAMBDA_OUTPUT_BYTES = Limit(6_000_000, 6_000_000, "bytes", "What a lambda returns")
LAMBDA_LOG_BYTES = Limit(1_000_000, 1_000_000, "bytes", "What a run of a lambda writes to its log")
OUTBOUND_SECONDS = Limit(30, 300, "s", "One request to another server, its redirects and retries included")
OUTBOUND_CONNECT_SECONDS = Limit(5, 5, "s", "Finding another server and connecting to it")
OUTBOUND_BYTES = Limit(
    50_000_000, 50_000_000, "bytes", "An answer of another server, decompressed; a body sent to one"
)
OUTBOUND_REDIRECTS = Limit(5, 5, "redirects", "Redirects that one request follows")
OUTBOUND_RETRIES = Limit(0, 10, "retries", "Retries of one request to another server")
MAIL_RECIPIENTS = Limit(50, 50, "recipients", "Recipients of one e-mail")
MAIL_BYTES = Limit(20_000_000, 20_000_000, "bytes", "One e-mail with its attachments")
TEMPLATE_CHARACTERS = Limit(200_000, 200_000, "characters", "A template")
CACHE_SECONDS = Limit(3_600, 2_592_000, "s", "How long a value stays in the cache")
CACHE_KEY_CHARACTERS = Limit(200, 200, "characters", "A key of the cache")
CACHE_VALUE_BYTES = Limit(1_000_000, 1_000_000, "bytes", "One value in the cache")
CACHE_ENTRIES = Limit(10_000, 10_000, "entries", "Values of a workspace in the cache (without Redis)")
CACHE_BYTES = Limit(
    100_000_000, 100_000_000, "bytes", "All values of a workspace in the cache (without Redis)"
)

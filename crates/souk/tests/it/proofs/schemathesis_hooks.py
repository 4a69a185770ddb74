"""What schemathesis is told about the shop: who calls, what nobody may see, and which refusals are right.

`schemathesis.rs` writes a file that the environment variable `SOUK_SCHEMATHESIS` names:
`caller` (its kind, and the accounts it may sign in with), `foreign` (marks of other people's data),
`secrets` (what nobody is ever shown), and `told` (where to leave what was done).
"""

import atexit
import collections
import json
import os
import unicodedata
import urllib.parse

import requests
import schemathesis
from schemathesis.failure_codes import AcceptedNegativeData, RejectedPositiveData

with open(os.environ["SOUK_SCHEMATHESIS"], encoding="utf-8") as file:
    SHOP = json.load(file)

# Why a request that obeys its schema is refused all the same. Everything that a schema can say is in the
# schema, and is missing here.
BEYOND_SCHEMAS = {
    # What somebody was given, and cannot be made up.
    "request.bad_cursor": "a cursor belongs to the list that gave it out",
    "identity.code_invalid": "a code is in a mail",
    "identity.refresh_token_invalid": "a refresh token is given out by sign-in",
    "identity.bad_credentials": "a password is known to one person",
    "identity.wrong_password": "a password is known to one person",
    "payments.webhook_signature_invalid": "a notification is signed",
    "analytics.unknown_write_key": "a write key is configured",
    # What depends on the state of the shop.
    "precondition.failed": "a version is read first",
    "idempotency.key_reused": "the key was used for something else",
    "payments.declined": "the provider says so",
    "payments.method_unknown": "the provider says so",
    "orders.payment_refused": "the provider says so",
    "orders.checkout_failed": "the checkout came to nothing",
    "feedback.poll_closed": "the poll takes no more answers",
    "payments.refund_exceeds_captured": "there is only so much to give back",
    "payments.currency_mismatch": "a refund is in the currency that was paid",
    # What holds between fields, or of the meaning of a text.
    "identity.password_too_weak": "a password that is tried first is long enough and still weak",
    "request.card_number": "digits with the check sum of a card are refused wherever they stand",
    "analytics.malformed": "a browser sends JSON as text or form to spare itself a question (CORS)",
    "analytics.event_required": "each type of event needs a member of its own",
    "analytics.identity_required": "either of two members is needed",
    "analytics.group_id_required": "each type of event needs a member of its own",
    "analytics.previous_id_required": "each type of event needs a member of its own",
    "analytics.unknown_type": "each type of event needs a member of its own",
    "catalog.picture_unreadable": "a picture must be one",
    "request.unsupported_media_type": "of all kinds of pictures some are shown by browsers",
    "orders.unknown_variant": "the variant must be for sale",
    "sync.unknown_topic": "a list in one text has no schema",
}

# The same for `request.validation`, by the stable word of each complaint.
BEYOND_FIELDS = {
    "ambiguous": "one of two ways to say it",
    "required": "white space alone is nothing, and some fields need others",
    "invalid_characters": "control characters",
    "invalid_value": "the calendar, currencies, languages, what is unique within a list",
    "invalid_type": "a whole number of 64 bits",
    "out_of_range": "one field bounds another",
    "too_long": "bytes, where the schema counts characters",
    "too_deep": "levels of a free value",
    "duplicate": "what must differ within a list",
    "too_few": "some kinds of questions need choices",
    "invalid": "one of two kinds of ids",
    "wrong": "an answer must fit its question",
    "unknown_country": "of all pairs of letters some are countries",
    "invalid_phone": "numbers are written in many ways, and still not every text is one",
    "invalid_locale": "of all tags some are languages",
    "invalid_name": "names of preferences are words",
    "invalid_email": "what mail can be sent to is less than the format allows",
    "not_allowed": "one field forbids another",
    "unknown": "what is added has no parts yet",
}


class Told:
    """What was done, left behind for the test."""

    def __init__(self):
        self.requests = 0
        self.operations = collections.defaultdict(collections.Counter)

    def write(self):
        with open(SHOP["told"], "w", encoding="utf-8") as out:
            json.dump({"requests": self.requests, "operations": self.operations}, out)


TOLD = Told()
atexit.register(TOLD.write)


class Account:
    """Somebody who can sign in, and does so again when a call ended the session."""

    def __init__(self, email, password):
        self.email, self.password, self.token = email, password, None

    def bearer(self):
        if self.token is None:
            answer = requests.post(
                SHOP["url"] + "/v1/auth/signin",
                json={"email": self.email, "password": self.password},
                timeout=30,
            )
            # An erased account cannot sign in; its last token is as good as any.
            self.token = answer.json().get("access_token", "ended")
        return self.token


class Cast:
    """Which account calls what: those that end sessions and accounts must not end those of all others."""

    def __init__(self, caller):
        account = lambda name: Account(name, caller["password"])
        self.main = account(caller["main"])
        self.restless = account(caller["restless"])
        self.leaving = [account(name) for name in caller["leaving"]]

    def of(self, label):
        if label == "DELETE /v1/customers/me" and self.leaving:
            return self.leaving[0]
        ends_sessions = ("/v1/auth/signout", "/v1/auth/sessions", "/v1/auth/password")
        if any(path in label for path in ends_sessions):
            return self.restless
        return self.main

    def heard(self, label, status):
        if label == "DELETE /v1/customers/me" and status == 202 and len(self.leaving) > 1:
            self.leaving.pop(0)
        elif status == 401 or (status == 204 and self.of(label) is self.restless):
            self.of(label).token = None


CAST = Cast(SHOP["caller"]) if SHOP["caller"] else None

if CAST:

    @schemathesis.auth(refresh_interval=None)
    class Bearer:
        def get(self, case, context):
            return CAST.of(case.operation.label).bearer()

        def set(self, case, data, context):
            case.headers["Authorization"] = f"Bearer {data}"


@schemathesis.hook
def after_call(context, case, response):
    label = case.operation.label
    TOLD.requests += 1
    TOLD.operations[label][str(response.status_code)] += 1
    if CAST:
        CAST.heard(label, response.status_code)


def sent(response):
    """Everything that the request carried, as text."""
    request = response.request
    body = request.body or b""
    body = body.decode("utf-8", "replace") if isinstance(body, bytes) else str(body)
    return " ".join([request.url, urllib.parse.unquote(request.url), str(request.headers), body])


@schemathesis.check
def shows_nobody_elses_data(ctx, response, case):
    shown = response.content.decode("utf-8", "replace") + " ".join(str(v) for v in response.headers.values())
    carried = None
    for mark in SHOP["foreign"] + SHOP["secrets"]:
        if mark in shown:
            carried = carried or sent(response)
            assert mark in carried, f"the answer holds {mark}, which belongs to somebody else"


@schemathesis.hook
def filter_failure(context, failure, case, response):
    if isinstance(failure, RejectedPositiveData):
        return not refused_rightly(response)
    if isinstance(failure, AcceptedNegativeData):
        return not taken_rightly(response.request)
    return True


def taken_rightly(request):
    """A parameter or a header field without a value is the same as none, HTTP ignores fields that nobody
    reads, and the characters of a password are counted as they are compared (NFKC)."""
    query = urllib.parse.urlsplit(request.url).query
    empty = any(value == "" for _, value in urllib.parse.parse_qsl(query, keep_blank_values=True))
    empty = empty or any(value in ("", b"") for value in request.headers.values())
    return empty or "x-schemathesis-unknown-property" in request.headers or is_long_when_compared(request)


def is_long_when_compared(request):
    try:
        body = json.loads(request.body or b"")
        passwords = [body[name] for name in ("password", "new_password") if name in body]
        return any(len(text) < 10 <= len(unicodedata.normalize("NFKC", text)) for text in passwords)
    except (TypeError, ValueError):
        return False


def refused_rightly(response):
    problem = response.json()
    if problem.get("code") != "request.validation":
        return problem.get("code") in BEYOND_SCHEMAS
    return all(error["code"] in BEYOND_FIELDS for error in problem.get("errors", [{"code": ""}]))


PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c489"
    "0000000d49444154789c6360606060000000050001a5f645400000000049454e44ae426082"
)


@schemathesis.serializer("image/*")
def picture(context, value):
    data = value if isinstance(value, bytes) else PIXEL + str(value).encode("utf-8", "replace")
    return {"data": data, "headers": {"Content-Type": "image/png"}}


@schemathesis.deserializer("image/*", "image/png", "image/svg+xml")
def shown_picture(context, response):
    return response.text


@schemathesis.deserializer("text/html", "text/event-stream")
def shown_text(context, response):
    return response.text

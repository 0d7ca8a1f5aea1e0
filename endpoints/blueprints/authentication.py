"""Authentication: sign up, log in, who am I, refresh, log out, reset a password, prove an e-mail address (contract §2)."""

from __future__ import annotations

from typing import Any, ClassVar

from auth.holders import is_auth_enabled, password_field
from stackyard.core.errors import Problem
from stackyard.tables.definitions import TableDef

from . import (
    Asked,
    Blueprint,
    Document,
    Option,
    endpoint_document,
    expression,
    field_input,
    field_type,
    line,
    one_of,
    writable_fields,
)

VERIFIED = "email_verified"
_PASSWORD: dict[str, Any] = {"type": "text", "required": True, "max_length": 1000, "sensitive": True}
_TOKEN: dict[str, Any] = {"type": "text", "required": True, "max_length": 200, "sensitive": True}


class Authentication(Blueprint):
    """What people need to log in: sign up, log in, me, refresh, log out, and a password reset by e-mail.

    For a table with a field of type password and a unique field of type email. With a field email_verified of type
    bool, the address is proved by e-mail too.
    """

    name = "authentication"
    label = "Authentication"
    icon = "user-check"
    sentence = "Sign up, log in, log out, reset a password"
    options: ClassVar[tuple[Option, ...]] = (
        Option("reset_url", "The page of your app that takes a new password; the token is put at its end."),
        Option(
            "verify_url", "The page of your app that proves an e-mail address; the token is put at its end."
        ),
        Option(
            "providers",
            "Logins with accounts elsewhere too: with every login provider of the workspace.",
            "no",
            choices=("no", "yes"),
        ),
    )

    def make(self, asked: Asked) -> list[Document]:
        assert asked.table is not None
        people = _People(asked.table, asked.options)
        documents = [
            people.signup(),
            people.login(),
            people.me(),
            people.refresh(),
            people.logout(),
            people.forgot(),
            people.reset(),
        ]
        if people.proves_email:
            documents += [people.send_check(), people.check()]
        if asked.options["providers"] == "yes":
            documents += [people.start_with_provider(), people.finish_with_provider()]
        return documents


class _People:
    """The table of those who log in, and the documents for it."""

    def __init__(self, table: TableDef, options: Any) -> None:
        emails = [field for field in table.own_fields if field.type.name == "email" and field.unique]
        lacking = [] if emails else ["no unique field of type email"]
        if not is_auth_enabled(table):
            lacking.insert(0, "no field of type password")
        if lacking:
            raise Problem(
                "INVALID_INPUT",
                f"The records of {table.name} cannot log in: it has {' and '.join(lacking)}.",
                suggestion="Add what is missing to the table, and make the blueprint again.",
            )
        self.table = table
        self.one = one_of(table.name)
        self.email = emails[0].name
        self.password = password_field(table)
        verified = table.fields.get(VERIFIED)
        self.proves_email = verified is not None and verified.type.name == "bool"
        self.options = options

    def document(self, name: str, method: str, path: str, description: str, **stack: Any) -> Document:
        return endpoint_document(name, method, f"/auth{path}", description, **stack)

    def signup(self) -> Document:
        kept_back = {self.password, VERIFIED}
        fields = [field for field in writable_fields(self.table) if field.name not in kept_back]
        inputs = {field.name: field_input(field, complete=True) for field in fields}
        inputs[self.email] = {**inputs[self.email], "required": True}
        inputs[self.password] = self.new_password()
        taken = line(
            "has_record", "is_taken", table=self.table.name, field=self.email, value=self.given(self.email)
        )
        free = line(
            "precondition",
            if_=expression("not is_taken"),
            status=409,
            code="EMAIL_TAKEN",
            message="Somebody has signed up with this e-mail address.",
            suggestion="Log in, or reset the password.",
        )
        data: Any = expression("input")
        add = line("add_record", self.one, table=self.table.name, data=data)
        lines = [taken, free, add, *self.proof(expression(f"{self.one}.id"))]
        lines += [self.tokens(f"{self.one}.id"), line("set_status", status=201)]
        return self.document(
            "signup",
            "POST",
            "/signup",
            "Signs up, and logs in at once.",
            auth=["public"],
            data_sources=["live", "test"],
            inputs=inputs,
            lines=lines,
            response=expression("tokens"),
        )

    def given(self, name: str) -> dict[str, str]:
        return expression(f"input.{name}")

    def tokens(self, record_id: str) -> dict[str, Any]:
        return line("create_auth_token", "tokens", table=self.table.name, id=expression(record_id))

    def find(self) -> dict[str, Any]:
        return line(
            "get_record", "found", table=self.table.name, field=self.email, value=self.given(self.email)
        )

    def new_password(self) -> dict[str, Any]:
        return {**field_type(self.table.fields[self.password]), "required": True}

    def email_input(self) -> dict[str, Any]:
        return {"type": "email", "required": True}

    def login(self) -> Document:
        right = line(
            "check_password",
            "is_right",
            table=self.table.name,
            id=expression("found.id"),
            password=self.given(self.password),
            typed=self.given(self.email),
        )
        refuse = line(
            "precondition",
            if_=expression("is_right"),
            status=401,
            code="LOGIN_FAILED",
            message="The e-mail address or the password is wrong.",
        )
        return self.document(
            "login",
            "POST",
            "/login",
            "Logs in: an access token for calls, and a refresh token for the next pair.",
            auth=["public"],
            data_sources=["live", "test"],
            inputs={self.email: self.email_input(), self.password: dict(_PASSWORD)},
            lines=[self.find(), right, refuse, self.tokens("found.id ?? 0")],
            response=expression("tokens"),
        )

    def me(self) -> Document:
        get = line("get_record", self.one, table=self.table.name, value=expression("auth.id"))
        return self.document(
            "me",
            "GET",
            "/me",
            "Who is logged in.",
            auth=["jwt"],
            lines=[self.own_table(), get],
            response=expression(self.one),
        )

    def own_table(self) -> dict[str, Any]:
        return line(
            "precondition",
            if_=expression(f'auth.table == "{self.table.name}"'),
            status=403,
            code="ACCESS_DENIED",
            message=f"This is for {self.table.name}.",
        )

    def refresh(self) -> Document:
        exchange = line("refresh_auth_token", "tokens", token=self.given("refreshToken"))
        return self.document(
            "refresh",
            "POST",
            "/refresh",
            "Exchanges a refresh token, once, for the next pair.",
            auth=["public"],
            data_sources=["live", "test"],
            inputs={"refreshToken": {**_TOKEN, "max_length": 8000}},
            lines=[exchange],
            response=expression("tokens"),
        )

    def logout(self) -> Document:
        return self.document(
            "logout",
            "POST",
            "/logout",
            "Logs out: the tokens of this sign-in are good no more.",
            auth=["jwt"],
            lines=[line("end_auth_session")],
            response={"loggedOut": True},
        )

    def mail(self, to: Any, subject: str, before: str, url: str, token: str) -> dict[str, Any]:
        parts = [f'"{before}\\n\\n"', *([f'"{url}"'] if url else []), token]
        return line("send_email", to=to, subject=subject, text=expression(" ~ ".join(parts)))

    def forgot(self) -> Document:
        make = line(
            "create_one_time_token",
            "token",
            table=self.table.name,
            id=expression("found.id ?? 0"),
            purpose="reset_password",
        )
        words = "Somebody asked for a new password. If it was you, use this within an hour:"
        mail = self.mail(self.given(self.email), "A new password", words, self.options["reset_url"], "token")
        # A mail server that fails would tell who is there: it does so for them alone. The log has its failure.
        sent = line("try_catch", try_=[make, mail])
        known = line("condition", if_=expression("found != null"), then=[sent])
        return self.document(
            "forgot_password",
            "POST",
            "/password/forgot",
            "Sends a token that sets a new password. The answer is the same for an address nobody has.",
            auth=["public"],
            data_sources=["live", "test"],
            inputs={self.email: self.email_input()},
            lines=[self.find(), known],
            response={"sent": True},
        )

    def used(self, purpose: str) -> list[dict[str, Any]]:
        use = line(
            "use_one_time_token", "owner", table=self.table.name, token=self.given("token"), purpose=purpose
        )
        good = line(
            "precondition",
            if_=expression("owner != null"),
            status=400,
            code="TOKEN_NOT_VALID",
            message="This token was used already, or has expired.",
            suggestion="Ask for a new one.",
        )
        return [use, good]

    def reset(self) -> Document:
        change = line(
            "patch_record",
            table=self.table.name,
            value=expression("owner"),
            data={self.password: self.given(self.password)},
        )
        out = line("end_auth_sessions", table=self.table.name, id=expression("owner ?? 0"))
        return self.document(
            "reset_password",
            "POST",
            "/password/reset",
            "Sets a new password with the token of the e-mail, ends all sign-ins, and logs in.",
            auth=["public"],
            data_sources=["live", "test"],
            inputs={"token": dict(_TOKEN), self.password: self.new_password()},
            lines=[*self.used("reset_password"), change, out, self.tokens("owner ?? 0")],
            response=expression("tokens"),
        )

    def proof(self, record_id: Any) -> list[dict[str, Any]]:
        if not self.proves_email:
            return []
        make = line(
            "create_one_time_token",
            "token",
            table=self.table.name,
            id=record_id,
            purpose="verify_email",
            expires_in=86_400,
        )
        words = "Prove that this is your e-mail address:"
        to = expression(f"{self.one}.{self.email}")
        return [make, self.mail(to, "Your e-mail address", words, self.options["verify_url"], "token")]

    def send_check(self) -> Document:
        get = line("get_record", self.one, table=self.table.name, value=expression("auth.id"))
        there = line(
            "precondition",
            if_=expression(f"{self.one} != null"),
            status=404,
            code="NOT_FOUND",
            message="You are gone.",
        )
        return self.document(
            "send_email_check",
            "POST",
            "/email/send",
            "Sends the e-mail that proves an address again.",
            auth=["jwt"],
            lines=[self.own_table(), get, there, *self.proof(expression(f"{self.one}.id"))],
            response={"sent": True},
        )

    def check(self) -> Document:
        change = line("patch_record", table=self.table.name, value=expression("owner"), data={VERIFIED: True})
        return self.document(
            "check_email",
            "POST",
            "/email/check",
            "Proves an e-mail address with the token that was sent to it.",
            auth=["public"],
            data_sources=["live", "test"],
            inputs={"token": dict(_TOKEN)},
            lines=[*self.used("verify_email"), change],
            response={"verified": True},
        )

    def start_with_provider(self) -> Document:
        begin = line(
            "start_provider_login",
            "login",
            provider=self.given("provider"),
            redirect_uri=self.given("redirect_uri"),
        )
        return self.document(
            "start_provider_login",
            "GET",
            "/{provider}/start",
            "Begins a login with an account elsewhere: send the person to url, and keep state in that browser.",
            auth=["public"],
            inputs={
                "provider": _name(),
                "redirect_uri": {"type": "text", "nullable": True, "max_length": 2000},
            },
            lines=[begin],
            response=expression("login"),
        )

    def finish_with_provider(self) -> Document:
        given = {name: self.given(name) for name in ("provider", "state", "code", "iss")}
        inputs = {
            "provider": _name(),
            "state": dict(_TOKEN),
            "code": {**_TOKEN, "max_length": 8000},
            "iss": {"type": "text", "nullable": True, "max_length": 2000},
        }
        return self.document(
            "finish_provider_login",
            "POST",
            "/{provider}/finish",
            "Ends it with what came back to your app's page, once your app has compared state: the tokens.",
            auth=["public"],
            inputs=inputs,
            lines=[line("finish_provider_login", "tokens", **given)],
            response=expression("tokens"),
        )


def _name() -> dict[str, Any]:
    return {"type": "text", "required": True, "max_length": 63}

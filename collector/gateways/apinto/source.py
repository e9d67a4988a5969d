"""What Apinto's source says about its refusals: the texts of response bodies, which are also its error log's.

Every text is the beginning of one in eolinker/apinto at b5972ba1; the file that writes it stands beside it.
"""

from __future__ import annotations

from typing import Final

NAME: Final = "apinto"
ECHO: Final = "missing or invalid token"  # of every application's authentication, whatever the reason
_ENDS: Final = 24  # characters by which two lines show that they hold the same credential
# drivers/plugins/*, drivers/strategy/*: body of the response, and `[ERRO]` line of the access_log plugin (log.Error(err)).
REFUSALS: Final = (
    "missing or invalid token", "invalid user", "the app(", "no app to auth",  # plugins/app/app.go
    "acl deny, group is ", "groups is not allow, groups is ",  # plugins/acl/executor.go
    "empty token", "verify introspection error: ", "set app label error: ",  # plugins/oauth2-introspection/executor.go
    "[ip_restriction] ",  # plugins/ip-restriction/config.go
    "not allowed",  # drivers/strategy/visit-strategy/actuator.go
    "refuse by limiting strategy",  # drivers/strategy/limiting-strategy/http-handler.go
    "[rate_limiting] ",  # plugins/rate-limiting/rate-limiting.go
    "out of calls",  # plugins/counter/executor.go
    "missing timestamp", "invalid timestamp ", "timestamp ", "missing nonce", "missing sign", "invalid sign",
    "replay attack detected",  # plugins/replay-attack-defender/executor.go
    "decrypt body error: ", "base64 decode error: ", "verify signature error: ",  # plugins/rsa-filter/executor.go
    "invalid client id", "invalid scheme", "client id is expired",  # plugins/oauth2/executor.go
    "unsupported grant type: ", "client secret is not match: ", "refresh token is required,", "invalid refresh token,",
    "fail to get refresh token,", "code is required,", "fail to get code: ", "invalid code,",  # plugins/oauth2/token.go
    "unsupported response type: ", "scope is required,", "invalid scope,", "invalid redirect uri,",
    "invalid provision key",  # plugins/oauth2/authorize.go
)  # fmt: skip
# The verifier, or what it needs, did not work.
BROKEN: Final = (
    "do introspect access token error: ", "set cache error: ",  # plugins/oauth2-introspection/executor.go
    "[plugin auth-interceptor invoke err] ",  # plugins/auth-interceptor/auth.go
    "redis cache is not ", "scan refresh token error: ", "scan code error: ",  # plugins/oauth2/{token,authorize}.go
    "all key resources for provider ", "no key resource for provider ",  # plugins/ai-formatter/executor.go
    "get issuer ", "read issuer ", "unmarshal issuer ", "parse issuer ",  # application/auth/openid-connect-jwt/discovery.go
    "get public key error: ",
)  # fmt: skip
VISIT: Final = (
    "not allowed"  # all that a visit strategy says; the label `handler` of the request says whose words they are
)
HANDLER_VISIT: Final = "handler: visit"
_USER_EXPIRED: Final = " error: token is expired"  # of the application's credential: `jwt error: token is expired`


def ends(credential: str) -> str:
    """What tells one credential from others: its end, without the padding of spaces."""
    return credential.strip()[-_ENDS:]


def refuses(message: str) -> bool:
    """Whether a text begins like one of Apinto's refusals."""
    return message.startswith(REFUSALS) or message[-len(_USER_EXPIRED) :] == _USER_EXPIRED


def is_broken(message: str) -> bool:
    """Whether a text begins like a failure of what Apinto verifies with."""
    return message.startswith(BROKEN)

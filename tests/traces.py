"""One record each: what languages and loggers print over several lines."""

from __future__ import annotations

from typing import Final

TRACES: Final[dict[str, str]] = {
    "python, chained, below uvicorn's line": (
        "ERROR:    Exception in ASGI application\n"
        "Traceback (most recent call last):\n"
        '  File "/app/auth.py", line 31, in user\n'
        "    claims = jwt.decode(token, key)\n"
        "             ^^^^^^^^^^^^^^^^^^^^^^\n"
        "jwt.exceptions.DecodeError: Not enough segments\n"
        "\n"
        "The above exception was the direct cause of the following exception:\n"
        "\n"
        "Traceback (most recent call last):\n"
        '  File "/app/web.py", line 9, in call\n'
        "    raise Refused\n"
        "app.Refused"
    ),
    "python below Django's line": (
        "Internal Server Error: /carts\n"
        "Traceback (most recent call last):\n"
        '  File "x", line 1, in y\n'
        "    z()\n"
        "jwt.exceptions.ExpiredSignatureError: Signature has expired"
    ),
    "python, one field a line": (
        "ERROR:    claims\n"
        "Traceback (most recent call last):\n"
        '  File "x", line 1, in y\n'
        "    z()\n"
        "pydantic_core._pydantic_core.ValidationError: 1 validation error for Claims\n"
        "sub\n"
        "  Field required [type=missing, input_value={}, input_type=dict]\n"
        "    For further information visit https://errors.pydantic.dev/2.11/v/missing"
    ),
    "python, asyncio's future": (
        "ERROR:asyncio:Task exception was never retrieved\n"
        "future: <Task finished name='Task-1' coro=<f() done> exception=DecodeError('x')>\n"
        "Traceback (most recent call last):\n"
        '  File "x", line 1, in y\n'
        "jwt.exceptions.DecodeError: x"
    ),
    "python, loguru": (
        "2026-05-11 06:07:08.123 | ERROR    | app:user:31 - no user\n"
        "Traceback (most recent call last):\n"
        "\n"
        '  File "/app/auth.py", line 31, in user\n'
        "    decode(token)\n"
        "    └ <function decode at 0x1>\n"
        "\n"
        '> File "/app/auth.py", line 9, in decode\n'
        '    raise DecodeError("x")\n'
        "\n"
        "jwt.exceptions.DecodeError: x"
    ),
    "java, suppressed and caused": (
        "2026-05-11 06:07:08,123 ERROR [a.b.C] (executor-thread-1) HTTP Request to /x failed: java.lang.RuntimeException\n"
        "java.lang.RuntimeException: x\n"
        "\tat a.b.C.d(C.java:1)\n"
        "\tSuppressed: java.io.IOException: y\n"
        "\t\tat a.b.C.e(C.java:2)\n"
        "\t\t... 1 more\n"
        "Caused by: io.smallrye.jwt.auth.principal.ParseException: SRJWT07000: Failed to verify a token\n"
        "\tat x.y(Z.java:3)\n"
        "\t... 12 more"
    ),
    "java without indentation": (
        "java.lang.RuntimeException: x\n"
        "at a.b.C.d(C.java:1)\n"
        "at a.b.C.d(Native Method)\n"
        "Caused by: a.b.Exception: y\n"
        "at a.b.C.d(C.java:1)\n"
        "... 12 more"
    ),
    "go panic": (
        "panic: runtime error: index out of range [1] with length 1\n"
        "\n"
        "goroutine 1 [running]:\n"
        "main.decode({0xc000012345, 0x1a})\n"
        "\t/app/main.go:31 +0x1d\n"
        "main.main()\n"
        "\t/app/main.go:9 +0x25\n"
        "created by net/http.(*Server).Serve in goroutine 1\n"
        "\t/usr/local/go/src/net/http/server.go:3285 +0x4b4\n"
        "exit status 2"
    ),
    "go panic in net/http": (
        "2026/05/11 06:07:08 http: panic serving 192.0.2.1:40001: runtime error: invalid memory address\n"
        "goroutine 34 [running]:\n"
        "net/http.(*conn).serve.func1()\n"
        "\t/usr/local/go/src/net/http/server.go:1868 +0xb9\n"
        "panic({0x6a4b20?, 0x8c1f50?})\n"
        "\t/usr/local/go/src/runtime/panic.go:920 +0x270"
    ),
    "go, zap's console": (
        '2026-05-11T06:07:08.123Z\tERROR\tauth/jwt.go:31\tinvalid token\t{"error": "token is expired"}\n'
        "main.decode\n"
        "\t/app/main.go:31\n"
        "net/http.HandlerFunc.ServeHTTP\n"
        "\t/usr/local/go/src/net/http/server.go:2136"
    ),
    "node with properties": (
        "JsonWebTokenError: invalid signature\n    at verify (/app/verify.js:171:19) {\n  code: 'ERR_JWS'\n}"
    ),
    "node, uncaught": (
        "/app/node_modules/jsonwebtoken/verify.js:171\n"
        "      throw new JsonWebTokenError('invalid signature');\n"
        "      ^\n"
        "\n"
        "JsonWebTokenError: invalid signature\n"
        "    at verify (/app/verify.js:171:19)\n"
        "\n"
        "Node.js v20.1.0"
    ),
    "dotnet, inner exception": (
        "Unhandled exception. System.Exception: x\n"
        " ---> Microsoft.IdentityModel.Tokens.SecurityTokenExpiredException: IDX10223: y\n"
        "   at A.B()\n"
        "   --- End of inner exception stack trace ---\n"
        "   at A.C()"
    ),
    "dotnet, serilog": (
        "[06:07:08 ERR] Exception occurred while processing message.\n"
        "Microsoft.IdentityModel.Tokens.SecurityTokenExpiredException: IDX10223: y\n"
        "   at A.B()\n"
        "--- End of stack trace from previous location ---\n"
        "   at A.C()"
    ),
    "ruby below a log line": (
        "E, [2026-05-11T06:07:08.123456 #12] ERROR -- : Signature has expired (JWT::ExpiredSignature)\n"
        "/app/auth.rb:31:in `decode'\n"
        "/app/web.rb:9:in `call'"
    ),
    "ruby by itself": (
        "/app/auth.rb:31:in `decode': Signature has expired (JWT::ExpiredSignature)\n"
        "\tfrom /app/web.rb:9:in `call'\n"
        "\tfrom /app/web.rb:1:in `<main>'"
    ),
    "php, chained": (
        "PHP Fatal error:  Uncaught Firebase\\JWT\\ExpiredException: Expired token in /app/x.php:12\n"
        "Stack trace:\n"
        "#0 /app/auth.php(12): decode()\n"
        "#1 {main}\n"
        "\n"
        "Next RuntimeException: no user in /app/y.php:3\n"
        "Stack trace:\n"
        "#0 {main}\n"
        "  thrown in /app/x.php on line 12"
    ),
    "json without indentation": ('{\n"a": {\n"b": 1\n},\n"c": 2\n}'),
    "json with a blank line": ('{\n  "a": [\n    1\n  ],\n\n  "c": 2\n}'),
    "python, syntax error": (
        "Traceback (most recent call last):\n"
        '  File "x", line 1, in y\n'
        "    z(\n"
        "     ^\n"
        "SyntaxError: '(' was never closed"
    ),
    "python, exception group": (
        "ERROR:    Exception in ASGI application\n"
        "  + Exception Group Traceback (most recent call last):\n"
        '  |   File "x", line 1, in y\n'
        "  | ExceptionGroup: unhandled errors in a TaskGroup (1 sub-exception)\n"
        "  +-+---------------- 1 ----------------\n"
        "    | Traceback (most recent call last):\n"
        "    | jwt.exceptions.DecodeError: x\n"
        "    +------------------------------------"
    ),
}

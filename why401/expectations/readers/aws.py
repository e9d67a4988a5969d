"""AWS API Gateway: SAM and CloudFormation templates, and OpenAPI with `x-amazon-apigateway-authorizer`.

docs.aws.amazon.com: sam-property-httpapi-httpapiauth, AWS::ApiGatewayV2::Authorizer, api-gateway-swagger-extensions-authorizer
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from why401.expectations.nodes import Node
from why401.expectations.readers.common import discovery, operations
from why401.expectations.told import Expectation, Finding, Remark, Told

NAME: Final = "aws-api-gateway"
TITLE: Final = "AWS API Gateway"
_APIS: Final = ("AWS::Serverless::HttpApi", "AWS::Serverless::Api")
_AUTHORIZERS: Final = ("AWS::ApiGatewayV2::Authorizer", "AWS::ApiGateway::Authorizer")
_EXTENSION: Final = "x-amazon-apigateway-authorizer"
_USUAL: Final = {"algorithms": "RS256 RS384 RS512 ES256 ES384 ES512", "required_claims": "exp"}


def is_mine(root: Node) -> bool:
    """A template with an API, or an OpenAPI document with an authorizer."""
    kinds = {resource.get("Type").text for _, resource in root.get("Resources").items()}
    return bool(kinds & {*_APIS, *_AUTHORIZERS}) or any(scheme.get(_EXTENSION) for scheme in _schemes(root))


def _schemes(root: Node) -> Iterator[Node]:
    for schemes in (root.get("components", "securitySchemes"), root.get("securityDefinitions")):
        yield from (value for _, value in schemes.items())


def read(root: Node) -> Iterator[Finding]:
    """Every authorizer."""
    for name, resource in root.get("Resources").items():
        properties = resource.get("Properties")
        if resource.get("Type").text in _APIS:
            for label, authorizer in properties.get("Auth", "Authorizers").items():
                yield from _authorizer(f"{name} {label}", authorizer)
        elif resource.get("Type").text in _AUTHORIZERS:
            yield from _authorizer(name, properties)
    for schemes in (root.get("components", "securitySchemes"), root.get("securityDefinitions")):
        for name, scheme in schemes.items():
            if scheme.get(_EXTENSION):
                yield from _authorizer(name, scheme.get(_EXTENSION))
    if any(scheme.get(_EXTENSION) for scheme in _schemes(root)):
        yield from operations(NAME, root)


def _authorizer(name: str, authorizer: Node) -> Iterator[Finding]:
    config = authorizer.first("JwtConfiguration", "jwtConfiguration")
    if not config:
        kind = authorizer.first("UserPoolArn", "ProviderARNs", "providerARNs")
        what = "a Cognito user pool, named by its ARN" if kind else "a Lambda function or IAM"
        yield Remark(
            gateway=NAME, place=authorizer.place, says=f"authorizer {name}: {what} decides; no issuer stands here"
        )
        return
    issuer = _told(config.first("issuer", "Issuer"))
    yield Expectation(
        gateway=NAME,
        name=f"authorizer {name}",
        place=authorizer.place,
        issuer=issuer,
        audiences=tuple(told for one in config.first("audience", "Audience").each() if (told := _told(one))),
        jwks=discovery(issuer),
        carriers=tuple(_carriers(authorizer.first("IdentitySource", "identitySource"))),
        usual=_USUAL,
    )
    if scopes := authorizer.get("AuthorizationScopes").all_told():
        says = f"authorizer {name}: one of the scopes {', '.join(one.text for one in scopes)} is enough"
        yield Remark(gateway=NAME, place=scopes[0].place, says=says)


def _told(node: Node) -> Told | None:
    """A text; a function (`!Ref`, `Fn::Sub`) is filled in when the stack is deployed."""
    if node.is_mapping or node.is_list:
        name = ", ".join(node.names()) or "Fn"
        return Told(text="${" + name + "}", place=node.place)
    return node.told()


def _carriers(source: Node) -> Iterator[Told]:
    """`$request.header.Authorization`."""
    for told in source.words():
        kind, _, name = told.text.removeprefix("$request.").partition(".")
        yield Told(text=f"{kind} {name}".replace("querystring", "query"), place=told.place)

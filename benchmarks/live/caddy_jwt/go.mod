module why401/caddy

go 1.25.0

require (
	github.com/caddyserver/caddy/v2 v2.10.2
	github.com/ggicci/caddy-jwt v1.1.1
)

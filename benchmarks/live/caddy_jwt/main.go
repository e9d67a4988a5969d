// Caddy with the jwtauth directive, as `xcaddy build --with github.com/ggicci/caddy-jwt` makes it, less what no test uses.
package main

import (
	caddycmd "github.com/caddyserver/caddy/v2/cmd"

	_ "github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	_ "github.com/caddyserver/caddy/v2/caddyconfig/httpcaddyfile"
	_ "github.com/caddyserver/caddy/v2/modules/caddyhttp/standard"
	_ "github.com/caddyserver/caddy/v2/modules/logging"
	_ "github.com/ggicci/caddy-jwt"
)

func main() {
	caddycmd.Main()
}

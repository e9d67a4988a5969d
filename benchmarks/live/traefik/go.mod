module why401/traefik

go 1.26.0

require github.com/traefik/traefik/v3 v3.7.13

// Traefik's own replacements, as its go.mod has them at this version; a replacement holds for the main module only.
replace (
	github.com/abbot/go-http-auth => github.com/containous/go-http-auth v0.4.1-0.20200324110947-a37a7636d23e
	github.com/gorilla/mux => github.com/containous/mux v0.0.0-20250523120546-41b6ec3aed59
)

exclude github.com/tencentcloud/tencentcloud-sdk-go v3.0.83+incompatible

// A module inside Traefik's repository that its module leaves out, and lego without its 200 DNS providers.
replace (
	github.com/go-acme/lego/v5 => ./lego
	github.com/traefik/traefik/dynamic/ext => ./ext
)

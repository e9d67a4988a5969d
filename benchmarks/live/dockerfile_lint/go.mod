module why401/dockerfile_lint

go 1.26.0

require (
	github.com/moby/buildkit v0.34.2
	github.com/opencontainers/go-digest v1.0.0
)

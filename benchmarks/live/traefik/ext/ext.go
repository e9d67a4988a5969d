// Package ext stands for Traefik's extension points, which are empty in its open-source edition.
package ext

// HTTP extends nothing.
type HTTP struct{}

// Router extends nothing.
type Router struct{}

// RouterIng extends nothing.
type RouterIng struct{}

// ToRouter gives the router of an ingress.
func (RouterIng) ToRouter() Router { return Router{} }

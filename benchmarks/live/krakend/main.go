// The parts of KrakenD that judge a token and write its log, put together as its own executor does: Lura's router on gin,
// krakend-jose in front of every endpoint, krakend-gologging. The module of krakend-ce itself is not on every module proxy.
package main

import (
	"context"
	"log"
	"os"
	"os/signal"
	"syscall"

	gologging "github.com/krakend/krakend-gologging/v2"
	jose "github.com/krakend/krakend-jose/v2"
	ginjose "github.com/krakend/krakend-jose/v2/gin"
	"github.com/luraproject/lura/v2/config"
	"github.com/luraproject/lura/v2/proxy"
	router "github.com/luraproject/lura/v2/router/gin"
	"github.com/luraproject/lura/v2/transport/http/server"
)

func main() {
	config.ExtraConfigAlias = map[string]string{
		"auth/validator":    jose.ValidatorNamespace,
		"telemetry/logging": gologging.Namespace,
	}
	settings, err := config.NewParser().Parse(os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	settings.Normalize()
	logger, err := gologging.NewLogger(settings.ExtraConfig)
	if err != nil {
		log.Fatal(err)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	engine := router.NewEngine(settings, router.EngineOptions{Logger: logger, Writer: os.Stdout})
	handlers := ginjose.HandlerFactory(router.EndpointHandler, logger, new(jose.NopRejecterFactory))
	router.NewFactory(router.Config{
		Engine:         engine,
		HandlerFactory: handlers,
		ProxyFactory:   proxy.DefaultFactory(logger),
		Logger:         logger,
		RunServer:      server.RunServerWithLoggerFactory(logger),
	}).NewWithContext(ctx).Run(settings)
}

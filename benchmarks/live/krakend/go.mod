module why401/krakend

go 1.25.0

require (
	github.com/gin-gonic/gin v1.11.0
	github.com/krakend/krakend-gologging/v2 v2.1.1
	github.com/krakend/krakend-jose/v2 v2.12.3
	github.com/luraproject/lura/v2 v2.13.0
)

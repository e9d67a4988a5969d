module why401/oauth2-proxy

go 1.22.7

require github.com/oauth2-proxy/oauth2-proxy/v7 v7.8.1

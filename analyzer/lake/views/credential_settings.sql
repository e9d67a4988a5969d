-- Settings that stop a gateway from writing whole credentials into its logs. The view `raw_credentials` has those that do.
-- gateway: Kind of the gateway; '': any other.
-- place: Where the credential is: authorization, header, query, cookie, message; '': any other.
-- setting: What to change in the gateway's configuration.
-- source: Documentation or source code for it.
SELECT gateway, place, setting, source FROM (VALUES
$ADVICE
) AS settings (gateway, place, setting, source)

-- The root key of the lab in place of the one that is built in.
clearTA('.')
addTA('.', io.open('/work/public/anchor.value'):read('*a'))
dofile('/work/onprem/powerdns_recursor_lua')

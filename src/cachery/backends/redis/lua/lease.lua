-- KEYS: a lease. ARGV: its token, its life in ms from now on, '0' to end it. 1 when it was still held by that token.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
if ARGV[2] == '0' then return redis.call('UNLINK', KEYS[1]) end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])

-- Counts KEYS[1] up by one; the first count lives for ARGV[1] milliseconds. Answers the count, or false for a value
-- that is no counter.
local present = redis.call('GET', KEYS[1])
if not present then
    redis.call('SET', KEYS[1], '1', 'PX', ARGV[1])
    return 1
end
if not string.match(present, '^%d+$') then
    return false
end
local counted = redis.pcall('INCR', KEYS[1])
if type(counted) ~= 'number' then
    return false
end
return counted

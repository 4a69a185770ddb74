-- Takes from the token bucket KEYS[1]: ARGV holds the quota, the window in milliseconds and the price in units.
-- One token is `window` units and one millisecond brings `quota` units; `Terms::take` says the same in Rust.
-- The time is this server's, so that all callers agree on it. Answers {1 if allowed, units left}.
local quota, window, need = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local capacity = quota * window
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local left = redis.call('HMGET', KEYS[1], 'level', 'at')
local level, at = tonumber(left[1]) or capacity, tonumber(left[2]) or now
now = math.max(now, at)
level = math.min(capacity, level + math.min(window, now - at) * quota)

local allowed = 0
if need <= level then
    level = level - need
    allowed = 1
end
if level == capacity then
    redis.call('DEL', KEYS[1])
else
    -- The default formatting would round numbers of more than 14 digits.
    redis.call('HSET', KEYS[1], 'level', string.format('%.0f', level), 'at', string.format('%.0f', now))
    redis.call('PEXPIRE', KEYS[1], math.ceil((capacity - level) / quota))
end
return { allowed, level }

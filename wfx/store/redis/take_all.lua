-- Takes tokens as wfx/limits/bucket.py does, by the clock of this server. KEYS are buckets; ARGV[1] says what is wanted:
-- for each in turn a list of {number of the key, {capacity, period, step} ...}. ARGV[2] is 1 to take a token, -1 to give one
-- back. Returns the time, and for each false, or what each band of its buckets lacks if no token was taken.
-- What a band lacks is whole * period + rest, so that no number is too large to be exact.
local HALF = 16384
local LONGEST = 2 ^ 38

local function divided(number, by)
    local rest = math.fmod(number, by) -- unlike %, it is exact
    return (number - rest) / by, rest
end

local function refilled(whole, rest, band, passed)
    local capacity, period = band[1], band[2]
    if passed / period * capacity >= whole + 2 then
        return 0, 0
    end
    local high, low = divided(capacity, HALF)
    local back, part = divided(passed * high, period)
    local more, less = divided(part * HALF + passed * low, period)
    whole, rest = whole - back * HALF - more, rest - less
    if rest < 0 then
        whole, rest = whole - 1, rest + period
    end
    if whole < 0 then
        return 0, 0
    end
    return whole, rest
end

local function stepped(whole, rest, before, band, passed)
    local used, elapsed = whole, passed
    if rest > 0 then
        used, elapsed = whole + 1, before - rest + passed
    end
    local steps, part = divided(elapsed, band[2])
    used = used - steps * band[3]
    if used <= 0 then
        return 0, 0
    elseif part > 0 then
        return used - 1, band[2] - part
    end
    return used, 0
end

local function lack(bucket, band, passed)
    local only = #bucket.bands == 1
    for _, kept in ipairs(bucket.bands) do
        if kept[1] == band[2] or (only and band[3] > 0) then
            if band[3] > 0 then
                return stepped(kept[2], kept[3], kept[1], band, passed)
            end
            return refilled(kept[2], kept[3], band, passed)
        end
    end
    return 0, 0
end

local cost = tonumber(ARGV[2])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local buckets, changed, answers = {}, {}, {}
for number, key in ipairs(KEYS) do
    local kept = redis.call('GET', key)
    buckets[number] = kept and cjson.decode(kept) or {at = 0, bands = {}}
end
for place, asks in ipairs(cjson.decode(ARGV[1])) do
    local lacks, refused = {}, {}
    for position, ask in ipairs(asks) do
        local bucket = buckets[ask[1]]
        local passed = math.min(math.max(now - bucket.at, 0), LONGEST)
        lacks[position] = {}
        for number, band in ipairs(ask[2]) do
            local whole, rest = lack(bucket, band, passed)
            lacks[position][number] = {whole, rest}
            if cost > 0 and (whole >= band[1] or (whole == band[1] - 1 and rest > 0)) then
                refused[position] = true
            end
        end
    end
    for position, ask in ipairs(asks) do
        local bucket = buckets[ask[1]]
        if next(refused) == nil then
            local bands, longest = {}, 1
            for number, band in ipairs(ask[2]) do
                local whole, rest = lacks[position][number][1] + cost, lacks[position][number][2]
                if whole < 0 then
                    whole, rest = 0, 0
                end
                bands[number] = {band[2], whole, rest}
                longest = math.max(longest, math.ceil((whole + 1) / (band[3] > 0 and band[3] or band[1])) * band[2])
            end
            buckets[ask[1]] = {at = now, bands = bands}
            changed[ask[1]] = longest
        elseif refused[position] and bucket.at > now then -- the clock went back
            bucket.at = now
            changed[ask[1]] = LONGEST
        end
    end
    answers[place] = next(refused) ~= nil and lacks
end
for number, longest in pairs(changed) do
    redis.call('SET', KEYS[number], cjson.encode(buckets[number]), 'PX', string.format('%.0f', math.min(longest, LONGEST)))
end
return cjson.encode({now, answers})

-- The same submission again and again, each with a push-id of its own; for wrk.
--     wrk ... -s submit.lua URL -- REQUEST_FILE RUN [WRAP]
-- REQUEST_FILE is a whole request with sixteen P in the place of the push-id's number; RUN, two hexadecimal digits,
-- keeps the numbers of several runs against one gateway apart.  WRAP: each thread has so many numbers and then begins
-- anew, so that a run about pushes of an earlier one finds them.
local threads = 0

function setup(thread)
    thread:set("number", threads)
    threads = threads + 1
end

function init(args)
    local file = assert(io.open(args[1], "rb"))
    local text = file:read("*a")
    file:close()
    local from, to = text:find(string.rep("P", 16), 1, true)
    before = text:sub(1, from - 1) .. args[2] .. string.format("%02x", number)
    after = text:sub(to + 1)
    count = 0
    wrap = tonumber(args[3] or "0")
end

function request()
    count = wrap > 0 and count % wrap + 1 or count + 1
    return before .. string.format("%012x", count) .. after
end

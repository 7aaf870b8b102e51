-- The health of a FineTuneJob. Argo CD gives a script from argocd-cm only Lua's base and table
-- libraries: there is no string.format and no math.floor.

local status = obj.status or {}
local message = status.message

-- 1.23456 -> 1.2346
local function rounded(number)
  local scaled = number * 10000 + 0.5
  return (scaled - scaled % 1) / 10000
end

local function progress(training)
  local parts = {}
  if training.epochText ~= nil then
    table.insert(parts, "epoch " .. training.epochText)
  end
  if training.step ~= nil and training.totalSteps ~= nil then
    table.insert(parts, "step " .. training.step .. "/" .. training.totalSteps)
  end
  if training.loss ~= nil then
    table.insert(parts, "loss " .. rounded(training.loss))
  end
  return #parts > 0 and table.concat(parts, ", ") or message
end

local function condition(type)
  for _, each in ipairs(status.conditions or {}) do
    if each.type == type then
      return each
    end
  end
  return {}
end

-- Every cluster counts generations on its own: a status that another controller copied from there
-- tells nothing about the generation here.
local ours = obj.spec.managedBy == nil or obj.spec.managedBy == "finetune.dev/operator"
if status.phase == nil or (ours and status.observedGeneration ~= obj.metadata.generation) then
  return {
    status = "Progressing",
    message = "Waiting for finetune-operator to look at generation " .. obj.metadata.generation,
  }
end

if status.phase == "Succeeded" then
  return { status = "Healthy", message = message }
end
if status.phase == "Failed" then
  return { status = "Degraded", message = message }
end
if condition("Accepted").status == "False" then
  return { status = "Degraded", message = condition("Accepted").message }
end
if status.phase == "Suspended" then
  return { status = "Suspended", message = message }
end
if condition("Running").reason == "TrainerRunning" and status.training ~= nil then
  message = progress(status.training)
end
return { status = "Progressing", message = message }

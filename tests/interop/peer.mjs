// A worker on the official TypeScript SDK 0.11: runs its own program, serves its group, calls functions of group "ours".

Promise.withResolvers ??= function () {
  const made = {};
  made.promise = new this((resolve, reject) => Object.assign(made, { resolve, reject }));
  return made;
};
const { Resonate } = await import("@resonatehq/sdk");

const [url, group] = process.argv.slice(2);
const resonate = new Resonate({ url, group });

function double(_context, number) {
  return 2 * number;
}

function* flow(context, number) {
  const doubled = yield* context.run(double, number);
  yield* context.sleep(200);
  const more = yield* context.rpc("child", doubled, context.options({ target: group }));
  return doubled + more;
}

function* child(_context, number) {
  return number + 1;
}

function* fails(_context, what) {
  throw new Error(`cannot ${what}`);
}

function* calls_ours(context, number) {
  const value = yield* context.rpc("our_flow", number, context.options({ target: "ours" }));
  try {
    yield* context.rpc("our_failure", "swim", context.options({ target: "ours" }));
  } catch (error) {
    return [value, error.message];
  }
  return [value, "no error"];
}

for (const [name, body] of Object.entries({ double, flow, child, fails, calls_ours })) {
  resonate.register(name, body);
}
console.log(await resonate.run(`${group}-own`, "flow", 5));

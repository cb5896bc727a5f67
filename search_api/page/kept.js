// What the service keeps for a while: named in a header, because addresses are written into logs of proxies.
import { ask, load } from "./service.js";

const PATH = "/v1/queries";
const pictures = new Map(); // by id, as long as the page is open

const naming = (id) => ({ headers: { "X-Query-ID": encodeURIComponent(id) } }); // somebody else may have written it

export async function keptPictures(ids) { // by id, as the service shows them
  await Promise.all(ids.map(async (id) => {
    if (!pictures.has(id)) pictures.set(id, await load(`${PATH}/picture`, naming(id)));
  }));
  return new Map(ids.map((id) => [id, pictures.get(id)]));
}

export async function forget(ids) { // nobody can ask with them any more
  const one = async (id) => {
    pictures.delete(id);
    await ask(PATH, { method: "DELETE", ...naming(id) }).catch((problem) => {
      if (problem.kind !== "query-not-found") throw problem; // somebody else deleted it, or its time was over
    });
  };
  await Promise.all([...new Set(ids)].map(one));
}

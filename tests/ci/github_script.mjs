// Runs a step's script as actions/github-script does: `github`, `context` and `require` are given, of which here are the
// few routes that the example uses. https://docs.github.com/rest/issues/comments
import { createRequire } from 'node:module';

const { GITHUB_API_URL, GITHUB_REPOSITORY, PULL_REQUEST, INPUT_TOKEN, INPUT_SCRIPT } = process.env;

function route(method, template) {
  return async (given) => {
    const left = { ...given };
    const path = template.replace(/{(\w+)}/g, (_, name) => {
      const value = left[name];
      delete left[name];
      return encodeURIComponent(value);
    });
    const query = method === 'GET' ? `?${new URLSearchParams(left)}` : '';
    const answer = await fetch(GITHUB_API_URL + path + query, {
      method,
      headers: { authorization: `Bearer ${INPUT_TOKEN}`, accept: 'application/vnd.github+json' },
      body: method === 'GET' ? undefined : JSON.stringify(left),
    });
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
    return { data: await answer.json() };
  };
}

const comments = '/repos/{owner}/{repo}/issues/{issue_number}/comments';
const issues = {
  listComments: route('GET', comments),
  createComment: route('POST', comments),
  updateComment: route('PATCH', '/repos/{owner}/{repo}/issues/comments/{comment_id}'),
};

async function paginate(list, given) {
  const all = [];
  for (let page = 1; ; page++) {
    const { data } = await list({ ...given, page });
    all.push(...data);
    if (data.length < given.per_page) return all;
  }
}

const [owner, repo] = GITHUB_REPOSITORY.split('/');
const context = { repo: { owner, repo }, issue: { number: Number(PULL_REQUEST) } };
const AsyncFunction = (async () => {}).constructor;
const script = new AsyncFunction('github', 'context', 'require', INPUT_SCRIPT);
await script({ rest: { issues }, paginate }, context, createRequire(`${process.cwd()}/`));

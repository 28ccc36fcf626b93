import cors from 'cors';

/** @type {import('swarmgate').Plugin} com.df.plugins=cors(origin="https://a.example,https://b.example",credentials=true) */
export default ({ origin = '*', credentials = false, maxAge }) =>
  cors({
    origin:
      origin === '*'
        ? origin
        : String(origin)
            .split(',')
            .map((each) => each.trim()),
    credentials,
    maxAge,
  });

import torch
from torch import Tensor, nn

from posetrain.config import TrainConfig
from posetrain.models import count_parameters, make_model
from posetrain.models.convlstm import BiConvLSTMConcat, BiConvLSTMSum, ConvLSTMCell


def random_cell() -> ConvLSTMCell:
    torch.manual_seed(0)
    cell = ConvLSTMCell()
    for parameter in cell.parameters():
        nn.init.normal_(parameter, std=0.1)
    return cell


def test_a_cell_has_as_many_parameters_as_published() -> None:
    assert count_parameters(ConvLSTMCell()) == 594_000


def test_a_cell_follows_the_equations_gate_by_gate() -> None:
    cell = random_cell()
    frames = torch.rand(2, 3, 25, 56, 56)
    w_xi, w_xf, w_xc, w_xo = cell.of_input
    w_hi, w_hf, w_hc, w_ho = cell.of_hidden
    w_ci, w_cf, w_co = cell.peepholes
    b_i, b_f, b_c, b_o = cell.biases
    h = c = torch.zeros(2, 25, 56, 56)
    expected: list[Tensor] = []
    for x in frames.unbind(1):
        i = torch.sigmoid(w_xi(x) + w_hi(h) + w_ci * c + b_i)  # equation 9
        f = torch.sigmoid(w_xf(x) + w_hf(h) + w_cf * c + b_f)  # equation 10
        c = f * c + i * torch.tanh(w_xc(x) + w_hc(h) + b_c)  # equation 11
        o = torch.sigmoid(w_xo(x) + w_ho(h) + w_co * c + b_o)  # equation 12
        h = o * torch.tanh(c)  # equation 13
        expected.append(h)
    torch.testing.assert_close(cell(frames), torch.stack(expected, dim=1), rtol=1e-4, atol=1e-5)


def test_both_directions_see_the_frames_in_their_order() -> None:
    """With the same weights in both directions, a film turned round gives the same output turned round."""
    for kind in (BiConvLSTMSum, BiConvLSTMConcat):
        torch.manual_seed(0)
        model = kind()
        model.cells[1].load_state_dict(model.cells[0].state_dict())
        model.heads[1].load_state_dict(model.heads[0].state_dict())
        if isinstance(model, BiConvLSTMConcat):
            with torch.no_grad():
                first = model.join[0].weight  # type: ignore[union-attr]
                first[:, 128:] = first[:, :128]
        frames = torch.rand(1, 3, 25, 56, 56)
        with torch.no_grad():
            torch.testing.assert_close(model(frames.flip(1)), model(frames).flip(1), rtol=1e-3, atol=1e-5)
            assert not torch.allclose(model(frames)[:, 0], model(frames)[:, 2])


def test_every_output_frame_sees_every_input_frame() -> None:
    model = make_model(TrainConfig(model="convlstm-sum"))
    frames = torch.rand(1, 3, 25, 56, 56, requires_grad=True)
    model(frames)[0, 1].sum().backward()
    assert frames.grad is not None
    assert all(frames.grad[0, t].any() for t in range(3))
